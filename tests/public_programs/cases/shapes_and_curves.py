"""Geometry, curves and meshes."""

import numpy as np

from public_programs.case import case, weighted


@case("trimesh", "Trimesh.volume, area of a tetrahedron", [0.0, 0.0, 0.1, 1.0, 0.1, 0.0, 0.2, 1.1, 0.0, 0.3, 0.2, 0.9])
def trimesh_volume():
    import trimesh

    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])

    def f(vertices):
        mesh = trimesh.Trimesh(vertices=vertices.reshape(4, 3), faces=faces, process=False)
        return weighted(mesh.volume, mesh.area)

    return f


@case("trimesh", "triangles.area, cross, angles", [0.0, 0.0, 0.1, 1.0, 0.1, 0.0, 0.2, 1.1, 0.0])
def trimesh_triangles():
    from trimesh import triangles

    def f(x):
        corners = x.reshape(1, 3, 3)
        return weighted(triangles.area(corners), triangles.cross(corners), triangles.angles(corners))

    return f


@case("trimesh", "transformations.rotation_matrix, quaternion_matrix", [0.7, 0.3, -0.8, 0.5])
def trimesh_rotation():
    from trimesh.transformations import quaternion_matrix, rotation_matrix

    return lambda x: weighted(rotation_matrix(x[0], x[1:]), quaternion_matrix(x))


@case("trimesh", "transformations.euler_matrix", [0.7, 0.3, -0.8])
def trimesh_euler():
    from trimesh.transformations import euler_from_matrix, euler_matrix

    return lambda x: weighted(euler_matrix(x[0], x[1], x[2]), euler_from_matrix(euler_matrix(x[0], x[1], x[2])))


@case("trimesh", "triangles.closest_point", [0.3, 0.2, 0.9])
def trimesh_closest():
    from trimesh import triangles

    corners = np.array([[[0.0, 0.0, 0.1], [1.0, 0.1, 0.0], [0.2, 1.1, 0.0]]])
    return lambda p: weighted(triangles.closest_point(corners, p.reshape(1, 3)))


@case("scikit-spatial", "Line.project_point, Plane.distance_point", [1.0, 2.0, 0.5], adopt=["skspatial"])
def skspatial_projection():
    from skspatial.objects import Line, Plane

    line = Line(point=[0.0, 0.0, 1.0], direction=[1.0, 1.0, 0.2])
    plane = Plane(point=[0.0, 0.0, 1.0], normal=[1.0, 1.0, 0.2])
    return lambda p: weighted(line.project_point(p), plane.distance_point(p))


@case("scikit-spatial", "Triangle.area, Vector.angle_between", [1.0, 2.0, 0.5], adopt=["skspatial"])
def skspatial_triangle():
    from skspatial.objects import Triangle, Vector

    def f(p):
        return weighted(Triangle(p, [0.0, 1.0, 0.0], [1.0, 0.0, 2.0]).area(), Vector(p).angle_between([1.0, 0.0, 0.3]))

    return f


@case("geomdl", "BSpline.Curve.evaluate_single", [0.0, 0.0, 1.0, 2.0, 3.0, 1.0, 4.0, 0.5])
def geomdl_curve():
    from geomdl import BSpline

    def f(x):
        curve = BSpline.Curve()
        curve.degree = 3
        curve.ctrlpts = [[x[2 * k], x[2 * k + 1]] for k in range(4)]
        curve.knotvector = [0, 0, 0, 0, 1, 1, 1, 1]
        return weighted(curve.evaluate_single(0.3))

    return f


@case("geomdl", "helpers.basis_function, linalg.vector_cross", [0.3, 1.2, -0.5])
def geomdl_basis():
    from geomdl import helpers, linalg

    def f(x):
        basis = helpers.basis_function(2, [0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0], 2, x[0])
        return weighted(
            basis, linalg.vector_cross([x[0], x[1], x[2]], [1.0, 0.2, 0.4]), linalg.vector_magnitude([x[0], x[1]])
        )

    return f


@case("splines", "CatmullRom.evaluate", [0.0, 0.0, 1.0, 2.0, 3.0, 1.0, 4.0, 0.5])
def splines_catmull_rom():
    from splines import CatmullRom

    return lambda x: weighted(CatmullRom(x.reshape(4, 2)).evaluate(1.4))


@case("splines", "Natural", [0.0, 0.0, 1.0, 2.0, 3.0, 1.0, 4.0, 0.5])
def splines_natural():
    from splines import Natural

    return lambda x: weighted(Natural(x.reshape(4, 2), alpha=0.5).evaluate(1.4))


@case("splines", "quaternion.slerp, UnitQuaternion", [0.9, -0.3, 0.2])
def splines_quaternion():
    from splines.quaternion import UnitQuaternion, slerp

    def f(x):
        one = UnitQuaternion.from_unit_xyzw((x[1], x[2], 0.1, x[0]))
        turned = slerp(one, UnitQuaternion.from_unit_xyzw((0.5, 0.5, 0.5, 0.5)), 0.3)
        return weighted(turned.xyzw)

    return f
