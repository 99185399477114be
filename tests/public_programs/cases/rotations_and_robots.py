"""Rotations, rigid bodies, filters that follow them, and robots."""

import numpy as np

from public_programs.case import case, weighted


@case("pyquaternion", "Quaternion(axis, angle).rotate", [0.3, -0.8, 0.5, 0.7])
def quaternion_rotation():
    from pyquaternion import Quaternion

    def f(x):
        turn = Quaternion(axis=[x[0], x[1], x[2]], angle=x[3])
        return weighted(turn.rotate([1.0, 2.0, 3.0]))

    return f


@case("pyquaternion", "Quaternion * Quaternion, inverse, norm", [0.3, -0.8, 0.5, 0.7])
def quaternion_product():
    from pyquaternion import Quaternion

    def f(x):
        q = Quaternion(x[0], x[1], x[2], x[3])
        return weighted((q * Quaternion(0.1, 0.2, 0.3, 0.4) * q.inverse).elements, q.norm)

    return f


@case("transforms3d", "euler.euler2mat", [0.3, -0.8, 0.5])
def transforms3d_euler_matrix():
    from transforms3d.euler import euler2mat

    return lambda x: weighted(euler2mat(x[0], x[1], x[2], "sxyz"))


@case("transforms3d", "quaternions.quat2mat", [0.9, -0.3, 0.2, 0.4])
def transforms3d_quaternion_matrix():
    from transforms3d.quaternions import quat2mat

    return lambda q: weighted(quat2mat(q))


@case("transforms3d", "affines.compose", [0.5, -1.0, 2.0, 1.2, 0.8, 1.5])
def transforms3d_compose():
    from transforms3d.affines import compose

    return lambda x: weighted(compose(x[:3], np.eye(3), x[3:]))


@case("pytransform3d", "rotations.matrix_from_axis_angle", [0.36, 0.48, 0.8, 0.7])
def pytransform3d_axis_angle():
    from pytransform3d.rotations import matrix_from_axis_angle

    return lambda a: weighted(matrix_from_axis_angle(a))


@case("pytransform3d", "rotations.quaternion_slerp", [0.9, -0.3, 0.2, 0.4])
def pytransform3d_slerp():
    from pytransform3d.rotations import quaternion_slerp

    end = np.array([0.5, 0.5, -0.5, 0.5])
    return lambda q: weighted(quaternion_slerp(q, end, 0.3))


@case("pytransform3d", "transformations.transform_from_exponential_coordinates", [0.3, -0.2, 0.5, 1.0, 2.0, -1.0])
def pytransform3d_exponential():
    from pytransform3d.transformations import transform_from_exponential_coordinates

    return lambda s: weighted(transform_from_exponential_coordinates(s))


@case("pytransform3d", "rotations.compact_axis_angle_from_matrix", [0.4, -0.3, 0.2])
def pytransform3d_logarithm():
    from pytransform3d.rotations import compact_axis_angle_from_matrix, matrix_from_compact_axis_angle

    return lambda a: weighted(compact_axis_angle_from_matrix(2.0 * matrix_from_compact_axis_angle(a) / 2.0))


@case("rowan", "rotate", [0.9, -0.3, 0.2, 0.4])
def rowan_rotate():
    import rowan

    return lambda q: weighted(rowan.rotate(rowan.normalize(q), [1.0, 2.0, 3.0]))


@case("rowan", "to_euler", [0.9, -0.3, 0.2, 0.4])
def rowan_euler():
    import rowan

    return lambda q: weighted(rowan.to_euler(rowan.normalize(q), "xyz"))


@case("spatialmath-python", "base.rpy2tr", [0.3, -0.8, 0.5], adopt=["spatialmath"])
def spatialmath_rpy():
    from spatialmath.base import rpy2tr

    return lambda x: weighted(rpy2tr(x[0], x[1], x[2]))


@case("spatialmath-python", "base.trexp", [0.5, -1.0, 2.0, 0.3, -0.2, 0.4], adopt=["spatialmath"])
def spatialmath_exponential():
    from spatialmath.base import trexp

    return lambda s: weighted(trexp(s))


@case("spatialmath-python", "SE3.Rx * SE3.Tx: arm of three joints", [0.3, -0.8, 0.5], adopt=["spatialmath"])
def spatialmath_arm():
    from spatialmath import SE3

    def f(q):
        pose = SE3()
        for k in range(3):
            pose = pose * SE3.Rz(q[k]) * SE3.Tx(1.0 - 0.2 * k) * SE3.Rx(0.4)
        return weighted(pose.t)

    return f


@case("pyrr", "matrix44.create_look_at", [3.0, -2.0, 1.5])
def pyrr_look_at():
    from pyrr import matrix44

    return lambda eye: weighted(matrix44.create_look_at(eye, np.array([0.0, 0.1, 0.2]), np.array([0.0, 0.0, 1.0])))


@case("pyrr", "quaternion.slerp", [0.9, -0.3, 0.2, 0.4])
def pyrr_slerp():
    from pyrr import quaternion

    return lambda q: weighted(quaternion.slerp(quaternion.normalize(q), np.array([0.5, 0.5, -0.5, 0.5]), 0.3))


@case("ahrs", "filters.Madgwick.updateIMU: five steps", [0.1, -0.2, 0.3])
def madgwick_filter():
    from ahrs.filters import Madgwick

    def f(gyroscope):
        orientation = Madgwick(gain=0.05)
        q = np.array([0.9, 0.3, -0.2, 0.25])
        q = q / np.linalg.norm(q)
        for k in range(5):
            q = orientation.updateIMU(q, gyroscope * (1 + 0.1 * k), np.array([0.3, 0.2, 9.7]))
        return weighted(q)

    return f


@case("ahrs", "filters.Mahony.updateMARG: five steps", [0.1, -0.2, 0.3])
def mahony_filter():
    from ahrs.filters import Mahony

    def f(gyroscope):
        orientation = Mahony()
        q = np.array([0.9, 0.3, -0.2, 0.25])
        q = q / np.linalg.norm(q)
        for _ in range(5):
            q = orientation.updateMARG(q, gyroscope, np.array([0.3, 0.2, 9.7]), np.array([20.0, 5.0, -40.0]))
        return weighted(q)

    return f


@case("navpy", "lla2ecef", [0.6, 1.2, 250.0])
def navpy_ecef():
    from navpy import lla2ecef

    return lambda x: weighted(lla2ecef(x[0], x[1], x[2], latlon_unit="rad"))


@case("navpy", "angle2quat", [0.3, -0.8, 0.5])
def navpy_quaternion():
    from navpy import angle2quat

    return lambda x: weighted(angle2quat(x[0], x[1], x[2]))


@case("filterpy", "kalman.KalmanFilter: six observations", [0.5, 0.1, 2.0])
def kalman_filter():
    from filterpy.kalman import KalmanFilter

    def f(x):
        kf = KalmanFilter(dim_x=2, dim_z=1)
        kf.x = np.array([0.0, 1.0])
        kf.F = np.array([[1.0, 1.0], [0.0, 1.0]])
        kf.H = np.array([[1.0, 0.0]])
        kf.R = kf.R * x[0]
        kf.Q = kf.Q * x[1]
        kf.P = kf.P * x[2]
        for z in (1.1, 1.9, 3.2, 4.1, 4.8, 6.3):
            kf.predict()
            kf.update(z)
        return weighted(kf.x, kf.P)

    return f


@case("filterpy", "kalman.KalmanFilter.update: observations", [1.1, 1.9, 3.2, 4.1])
def kalman_observations():
    from filterpy.common import Q_discrete_white_noise
    from filterpy.kalman import KalmanFilter

    def f(observed):
        kf = KalmanFilter(dim_x=2, dim_z=1)
        kf.F[0, 1] = 0.5
        kf.H[0, 0] = 1.0
        kf.Q = Q_discrete_white_noise(dim=2, dt=0.5, var=0.1)
        for z in observed:
            kf.predict()
            kf.update(z)
        return weighted(kf.x, kf.log_likelihood)

    return f


@case("filterpy", "kalman.ExtendedKalmanFilter: range to a target", [100.0, 60.0, 20.0])
def extended_kalman_filter():
    from filterpy.kalman import ExtendedKalmanFilter

    def jacobian(x):
        distance = np.sqrt(x[0] ** 2 + x[1] ** 2)
        return np.array([[x[0] / distance, x[1] / distance, 0.0]])

    def f(start):
        ekf = ExtendedKalmanFilter(dim_x=3, dim_z=1)
        ekf.x = start
        ekf.F = np.array([[1.0, 0.0, 0.1], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        ekf.P *= 50.0
        for z in (117.0, 118.5, 121.0):
            ekf.predict()
            ekf.update(np.array([z]), jacobian, lambda x: np.array([np.sqrt(x[0] ** 2 + x[1] ** 2)]))
        return weighted(ekf.x)

    return f


@case("filterpy", "kalman.UnscentedKalmanFilter: pendulum", [0.4, 0.2])
def unscented_kalman_filter():
    from filterpy.kalman import MerweScaledSigmaPoints, UnscentedKalmanFilter

    def f(start):
        points = MerweScaledSigmaPoints(2, alpha=0.5, beta=2.0, kappa=1.0)
        ukf = UnscentedKalmanFilter(
            dim_x=2,
            dim_z=1,
            dt=0.1,
            hx=lambda x: np.array([np.sin(x[0])]),
            fx=lambda x, dt: np.array([x[0] + dt * x[1], x[1] - dt * 9.8 * np.sin(x[0])]),
            points=points,
        )
        ukf.x = start
        ukf.P *= 0.1
        for z in (0.35, 0.3, 0.2):
            ukf.predict()
            ukf.update(np.array([z]))
        return weighted(ukf.x)

    return f


@case("filterpy", "gh.GHFilter.batch_filter", [0.4, 0.1])
def g_h_filter():
    from filterpy.gh import GHFilter

    def f(gains):
        tracker = GHFilter(x=0.0, dx=1.0, dt=1.0, g=gains[0], h=gains[1])
        return weighted(tracker.batch_filter([1.1, 1.9, 3.2, 4.1, 4.8]))

    return f


@case("pykalman", "KalmanFilter.loglikelihood", [0.9, 0.2, 0.1])
def pykalman_likelihood():
    from pykalman import KalmanFilter

    observations = np.array([[0.3], [0.5], [0.2], [0.8]])

    def f(x):
        kf = KalmanFilter(
            transition_matrices=[[x[0]]],
            observation_matrices=[[1.0]],
            transition_covariance=[[x[1]]],
            observation_covariance=[[x[2]]],
            initial_state_mean=[0.0],
            initial_state_covariance=[[1.0]],
        )
        return kf.loglikelihood(observations)

    return f
