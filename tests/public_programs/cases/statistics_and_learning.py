"""Statistics, machine learning in Python, and neural network textbooks."""

import numpy as np

from public_programs.case import case, weighted

ROWS = np.array(
    [[1.0, 0.5, -0.3], [1.0, -1.2, 0.8], [1.0, 0.1, 1.4], [1.0, 2.0, -0.6], [1.0, -0.4, -1.1], [1.0, 0.9, 0.2]]
)
COUNTS = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])


@case("statsmodels", "discrete_model.Logit.loglike", [0.2, 0.5, -0.3])
def statsmodels_logit():
    from statsmodels.discrete.discrete_model import Logit

    model = Logit(COUNTS, ROWS)
    return lambda params: model.loglike(params)


@case("statsmodels", "discrete_model.Poisson.loglike", [0.2, 0.5, -0.3])
def statsmodels_poisson():
    from statsmodels.discrete.discrete_model import Poisson

    model = Poisson(np.array([2.0, 0.0, 3.0, 4.0, 1.0, 2.0]), ROWS)
    return lambda params: model.loglike(params)


@case("statsmodels", "GLM(Gamma).loglike", [1.2, 0.2, -0.3])
def statsmodels_gamma():
    import statsmodels.api as sm

    model = sm.GLM(np.array([2.0, 0.7, 3.0, 4.0, 1.0, 2.0]), ROWS, family=sm.families.Gamma(sm.families.links.Log()))
    return lambda params: model.loglike(params, scale=1.3)


@case("statsmodels", "OLS.fit().params", [2.0, 0.7, 3.0, 4.0, 1.0, 2.0])
def statsmodels_ols():
    from statsmodels.regression.linear_model import OLS

    def f(y):
        found = OLS(y, ROWS).fit()
        return weighted(found.params, found.ssr)

    return f


@case("statsmodels", "robust.norms.HuberT, TukeyBiweight", [0.5, -0.9, 2.5, -3.0])
def statsmodels_norms():
    from statsmodels.robust.norms import HuberT, TukeyBiweight

    return lambda z: weighted(HuberT().rho(z), TukeyBiweight().rho(z))


@case("statsmodels", "tsa.stattools.acf", [1.0, 2.5, 0.3, -1.2, 0.8, 1.9, 0.1])
def statsmodels_acf():
    from statsmodels.tsa.stattools import acf

    return lambda series: weighted(acf(series, nlags=3, fft=False))


@case("statsmodels", "tsa.tsatools.detrend", [0.3, 1.1])
def statsmodels_detrend():
    from statsmodels.tsa.tsatools import detrend

    return lambda x: weighted(detrend(np.array([1.0, 2.0, 2.5, 4.0]) * x[0] + x[1] ** np.arange(4), order=1))


@case("statsmodels", "nonparametric.kernels.Gaussian.density", [0.4, 1.3])
def statsmodels_density():
    from statsmodels.sandbox.nonparametric.kernels import Gaussian

    sample = np.array([[0.1], [0.7], [1.5], [2.2]])
    return lambda x: Gaussian(h=x[0]).density(sample, x[1])


@case(
    "scikit-learn",
    "metrics.mean_squared_error, r2_score",
    [1.2, 2.9, 3.1, 4.8],
    adopt=["sklearn"],
)
def sklearn_mean_squared_error():
    from sklearn.metrics import mean_squared_error, r2_score

    observed = np.array([1.0, 2.5, 3.5, 4.4])
    return lambda found: mean_squared_error(observed, found) + r2_score(observed, found)


@case("scikit-learn", "metrics.pairwise.rbf_kernel", [1.2, 2.9, 3.1, 4.8], adopt=["sklearn"])
def sklearn_rbf_kernel():
    from sklearn.metrics.pairwise import rbf_kernel

    return lambda x: weighted(rbf_kernel(x.reshape(2, 2), np.array([[1.0, 2.0], [2.0, 4.0]]), gamma=0.5))


@case(
    "scikit-learn",
    "gaussian_process.kernels.DotProduct, ConstantKernel",
    [0.5, 1.2, 2.9, 3.1],
    adopt=["sklearn"],
)
def sklearn_kernel():
    from sklearn.gaussian_process.kernels import DotProduct

    return lambda x: weighted(DotProduct(sigma_0=x[0])(np.stack([x[1:], x[1:] * 2.0])))


@case(
    "scikit-learn",
    "preprocessing.PolynomialFeatures",
    [1.2, 2.9, 3.1, 4.8],
    adopt=["sklearn"],
)
def sklearn_polynomial():
    from sklearn.preprocessing import PolynomialFeatures

    return lambda x: weighted(PolynomialFeatures(2).fit_transform(x.reshape(2, 2)))


@case("pingouin", "compute_effsize", [1.2, 2.9, 3.1, 4.8, 3.3])
def pingouin_effect():
    from pingouin import compute_effsize

    return lambda x: compute_effsize(x, np.array([0.5, 1.5, 2.5, 2.0]), eftype="cohen")


@case("pingouin", "circ_mean, circ_r", [0.2, 0.9, 1.1, -0.8, 0.3])
def pingouin_circular():
    from pingouin import circ_mean, circ_r

    return lambda angles: weighted(circ_mean(angles), circ_r(angles))


@case("properscoring", "crps_gaussian", [0.4, 0.1, 1.3])
def crps_gaussian():
    from properscoring import crps_gaussian

    return lambda x: weighted(crps_gaussian(x[0], x[1], x[2]))


@case("properscoring", "crps_ensemble", [0.4, 0.1, 1.3, 0.9])
def crps_ensemble():
    from properscoring import crps_ensemble

    return lambda x: weighted(crps_ensemble(0.5, x))


@case("pykrige", "variogram_models", [2.0, 3.0, 0.5])
def pykrige_variogram():
    from pykrige.variogram_models import (
        exponential_variogram_model,
        hole_effect_variogram_model,
        spherical_variogram_model,
    )

    lags = np.array([0.5, 1.5, 4.0])
    return lambda m: weighted(
        spherical_variogram_model(m, lags), exponential_variogram_model(m, lags), hole_effect_variogram_model(m, lags)
    )


@case("pykrige", "OrdinaryKriging.execute", [1.0, 2.0, 0.5, 1.7])
def pykrige_ordinary():
    from pykrige.ok import OrdinaryKriging

    px, py = np.array([0.0, 1.0, 0.3, 2.0]), np.array([0.0, 0.4, 1.5, 1.0])

    def f(values):
        kriging = OrdinaryKriging(px, py, values, variogram_model="linear", variogram_parameters=[1.0, 0.1])
        found, _ = kriging.execute("points", np.array([0.5, 1.1]), np.array([0.6, 0.9]))
        return weighted(found)

    return f


@case("lmfit", "lineshapes: gaussian, lorentzian, lognormal, doniach, expgaussian", [2.0, 0.3, 1.1])
def lmfit_lineshapes():
    from lmfit.lineshapes import doniach, expgaussian, gaussian, lognormal, lorentzian

    at = np.array([0.4, 1.1, 2.3])
    return lambda x: weighted(
        [shape(at, x[0], x[1], x[2]) for shape in (gaussian, lorentzian, lognormal, doniach)],
        expgaussian(at, x[0], x[1], x[2]),
    )


@case("lmfit", "models.ExponentialModel.eval", [2.0, 0.3])
def lmfit_residual():
    from lmfit.models import ExponentialModel

    model, t = ExponentialModel(), np.array([0.0, 0.5, 1.0, 2.0])
    data = np.array([2.0, 1.5, 1.2, 0.7])

    def f(x):
        return np.sum((model.eval(x=t, amplitude=x[0], decay=x[1] + 1.0) - data) ** 2)

    return f


@case("arch", "univariate: GARCH variance recursion (Python)", [0.1, 0.2, 0.7])
def arch_garch():
    from arch.univariate.recursions_python import garch_recursion_python as recursion

    residuals = np.array([0.5, -1.2, 0.8, 0.3, -0.6])
    bounds = np.tile(np.array([1e-6, 1e6]), (5, 1))

    def f(parameters):
        variance = np.zeros(5)
        recursion(parameters, residuals**2, np.sign(residuals), variance, 1, 0, 1, 5, 1.0, bounds)
        return -0.5 * np.sum(np.log(variance) + residuals**2 / variance)

    return f


@case(
    "scipy",
    "stats.zscore, skew, kurtosis, gmean",
    [1.2, 2.9, 3.1, 4.8, 0.7],
    adopt=["scipy.stats._stats_py", "scipy._lib"],
)
def scipy_moments():
    from scipy.stats import gmean, kurtosis, skew, zscore

    return lambda x: weighted(zscore(x), skew(x), kurtosis(x), gmean(x))


@case("mlxtend", "classifier.LogisticRegression: ten epochs", [0.1, -0.2, 0.3, 0.5, -0.6, 0.2, 1.1, 0.4])
def mlxtend_logistic():
    from mlxtend.classifier import LogisticRegression

    labels = np.array([0, 1, 0, 1])

    def f(x):
        model = LogisticRegression(eta=0.1, epochs=10, minibatches=1, random_seed=1)
        model.fit(x.reshape(4, 2), labels)
        return weighted(model.w_, model.b_)

    return f


@case("mlxtend", "regressor.LinearRegression(method='direct')", [1.0, 2.5, 3.5, 4.4])
def mlxtend_linear():
    from mlxtend.regressor import LinearRegression

    def f(y):
        model = LinearRegression(method="direct")
        model.fit(np.array([[0.1, 1.0], [0.9, -0.3], [2.2, 0.4], [2.9, 1.3]]), y)
        return weighted(model.w_, model.b_)

    return f


@case("numpy-ml", "neural_nets.activations", [0.5, -0.9, 1.5, -0.2])
def numpy_ml_activations():
    import collections
    import collections.abc

    collections.Hashable = collections.abc.Hashable  # the package was written for a Python that had it
    from numpy_ml.neural_nets.activations import ELU, SELU, Sigmoid, SoftPlus, Tanh

    layers = [ELU(), SELU(), Sigmoid(), SoftPlus(), Tanh()]
    return lambda x: weighted([layer(x) for layer in layers])


@case("numpy-ml", "neural_nets.layers.FullyConnected", [0.5, -0.9, 1.5, -0.2])
def numpy_ml_layer():
    import collections
    import collections.abc

    collections.Hashable = collections.abc.Hashable
    from numpy_ml.neural_nets.layers import FullyConnected

    def f(x):
        np.random.seed(0)
        layer = FullyConnected(n_out=3, act_fn="tanh")
        return weighted(layer.forward(x.reshape(2, 2)))

    return f


@case("numpy-ml", "neural_nets.losses.SquaredError, utils.distance_metrics", [0.2, 0.5, 0.3, 0.6])
def numpy_ml_losses():
    import collections
    import collections.abc

    collections.Hashable = collections.abc.Hashable
    from numpy_ml.neural_nets.losses import SquaredError
    from numpy_ml.utils.distance_metrics import euclidean, manhattan

    truth = np.array([[0.0, 1.0], [1.0, 0.0]])
    return lambda x: weighted(
        SquaredError.loss(truth, x.reshape(2, 2)), euclidean(x, truth.ravel()), manhattan(x, truth.ravel())
    )


@case("numpy-ml", "neural_nets.layers.LSTMCell: three steps", [0.5, -0.9, 1.5, -0.2, 0.7, 0.1])
def numpy_ml_lstm():
    import collections
    import collections.abc

    collections.Hashable = collections.abc.Hashable
    from numpy_ml.neural_nets.layers import LSTMCell

    def f(x):
        np.random.seed(0)
        cell = LSTMCell(n_out=2)
        for t in range(3):
            state, _ = cell.forward(x[2 * t : 2 * t + 2].reshape(1, 2))
        return weighted(state)

    return f


@case("numpy-ml", "gmm: log_gaussian_pdf; utils.kernels", [0.5, -0.9, 1.5, -0.2])
def numpy_ml_kernels():
    import collections
    import collections.abc

    collections.Hashable = collections.abc.Hashable
    from numpy_ml.gmm.gmm import log_gaussian_pdf
    from numpy_ml.utils.kernels import PolynomialKernel, RBFKernel

    sigma = np.array([[1.0, 0.2], [0.2, 0.8]])
    return lambda x: weighted(
        log_gaussian_pdf(x[:2], np.array([0.1, 0.2]), sigma),
        RBFKernel(sigma=1.3)(x.reshape(2, 2)),
        PolynomialKernel(d=3)(x.reshape(2, 2)),
    )


@case("smt", "problems.WingWeight", [150.0, 250.0, 8.0, -5.0, 20.0, 0.7, 0.1, 4.0, 2000.0, 0.05])
def smt_wing():
    from smt.problems import WingWeight

    problem = WingWeight()
    return lambda x: weighted(problem(x.reshape(1, 10)))


@case("smt", "problems.RobotArm", [0.7, 2.0, 0.4, 1.0])
def smt_robot():
    from smt.problems import RobotArm

    problem = RobotArm(ndim=4)
    return lambda x: weighted(problem(x.reshape(1, 4)))


@case("emcee", "autocorr.function_1d", [1.0, 2.5, 0.3, -1.2, 0.8, 1.9, 0.1])
def emcee_autocorrelation():
    from emcee.autocorr import function_1d

    return lambda x: weighted(function_1d(x)[:4])
