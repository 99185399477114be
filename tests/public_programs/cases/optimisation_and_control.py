"""Test functions of optimisers, sensitivity analysis, and control."""

import numpy as np

from public_programs.case import case, weighted


@case("optproblems", "continuous: ackley, branin, ..., six_hump_camelback", [0.7, -1.2])
def optproblems_functions():
    from optproblems.continuous import (
        ackley,
        branin,
        goldstein_price,
        griewank,
        himmelblau,
        rosenbrock,
        six_hump_camelback,
    )

    functions = [ackley, branin, goldstein_price, griewank, himmelblau, rosenbrock, six_hump_camelback]
    return lambda x: weighted([np.log(3.0 + function(x)) for function in functions])


@case("optproblems", "zdt.ZDT1, ZDT3", [0.3, 0.6, 0.2, 0.7])
def optproblems_multiobjective():
    from optproblems.zdt import ZDT1, ZDT3

    return lambda x: weighted(list(ZDT1(num_variables=4)(x)), list(ZDT3(num_variables=4)(x)))


@case("deap", "benchmarks: ackley, rastrigin, schwefel, ...", [0.7, -1.2])
def deap_benchmarks():
    from deap import benchmarks

    functions = [
        benchmarks.ackley,
        benchmarks.rastrigin,
        benchmarks.schwefel,
        benchmarks.bohachevsky,
        benchmarks.schaffer,
    ]
    return lambda x: weighted([function(x)[0] for function in functions])


@case("deap", "benchmarks.kursawe, dtlz2, zdt1", [0.3, 0.6, 0.2, 0.7])
def deap_multiobjective():
    from deap import benchmarks

    return lambda x: weighted(benchmarks.kursawe(x), benchmarks.dtlz2(x, 3), benchmarks.zdt1(x))


@case("pyswarms", "single_obj: ackley, easom, levi, ...", [0.7, -1.2])
def pyswarms_functions():
    from pyswarms.utils.functions import single_obj

    functions = [single_obj.ackley, single_obj.beale, single_obj.easom, single_obj.levi, single_obj.threehump]
    return lambda x: weighted([function(x.reshape(1, 2)) for function in functions])


@case("SALib", "test_functions.Ishigami, Sobol_G", [0.7, -1.2, 2.0], adopt=["SALib"])
def salib_ishigami():
    from SALib.test_functions import Ishigami, Sobol_G

    return lambda x: weighted(
        Ishigami.evaluate(x.reshape(1, 3)), Sobol_G.evaluate(np.abs(x).reshape(1, 3) / 3.0, a=np.array([0.0, 1.0, 4.5]))
    )


@case("SALib", "test_functions.lake_problem", [0.25, 0.4, 0.1], adopt=["SALib"])
def salib_lake():
    from SALib.test_functions import lake_problem

    return lambda x: weighted(lake_problem.lake_problem(x[0], x[2], 2.0, 1.2, 1.5), x[1])


@case(
    "scipy",
    "optimize.rosen, rosen_der, rosen_hess",
    [0.7, -1.2, 0.5, 0.9],
    adopt=["scipy.optimize._optimize", "scipy._lib"],
)
def scipy_rosenbrock():
    from scipy.optimize import rosen, rosen_der, rosen_hess

    return lambda x: weighted(rosen(x), rosen_der(x), rosen_hess(x))


@case(
    "scipy",
    "spatial.distance: minkowski, cosine, braycurtis",
    [0.7, 1.2, 0.5],
    adopt=["scipy.spatial.distance", "scipy._lib"],
)
def scipy_distances():
    from scipy.spatial.distance import correlation, cosine, minkowski

    other = np.array([0.2, 0.9, 1.4])
    return lambda x: weighted(cosine(x, other), minkowski(x, other, 3), correlation(x, other))


@case(
    "scipy",
    "constants.convert_temperature, linalg.toeplitz",
    [20.0, 37.5, -4.0],
    adopt=["scipy.constants", "scipy.linalg._special_matrices", "scipy._lib"],
)
def scipy_temperature():
    from scipy.constants import convert_temperature
    from scipy.linalg import toeplitz

    return lambda x: weighted(convert_temperature(x, "Celsius", "Fahrenheit"), toeplitz(x))


@case("scipy", "integrate.RK45: a pendulum", [0.5, 0.1], adopt=["scipy.integrate._ivp", "scipy._lib"])
def scipy_runge_kutta():
    from scipy.integrate import RK45

    def f(start):
        solver = RK45(
            lambda t, y: np.stack([y[1], -np.sin(y[0])]), 0.0, start, 1.0, first_step=0.1, max_step=0.1, rtol=1e-3
        )
        while solver.status == "running":
            solver.step()
        return weighted(solver.y)

    return f


@case("scipy", "optimize.newton", [2.0, 0.3], adopt=["scipy.optimize._zeros_py", "scipy._lib"])
def scipy_newton():
    from scipy.optimize import newton

    return lambda x: newton(lambda y: y**3 - x[0] * y - x[1], 1.9, fprime=lambda y: 3 * y**2 - x[0], tol=1e-14)


@case("control", "StateSpace frequency response", [1.0, 0.5, 2.0])
def control_response():
    import control

    def f(x):
        system = control.StateSpace([[0.0, 1.0], [-x[2], -x[1]]], [[0.0], [x[0]]], [[1.0, 0.0]], [[0.0]])
        return weighted(np.abs(system(2.0j)))

    return f


@case("control", "TransferFunction series and feedback", [1.0, 0.5, 2.0])
def control_transfer():
    import control

    def f(x):
        plant = control.TransferFunction([x[0]], [1.0, x[1], x[2]])
        return weighted(np.abs(control.feedback(plant * control.TransferFunction([2.0], [1.0, 1.0]))(1.0j)))

    return f
