"""Likelihoods and posteriors."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal, sigmoid

COUNTS = np.array([0.0, 2.0, 1.0, 4.0, 3.0, 0.0])
FEATURES = normal(1, 6, 3)
POISSON = {"beta": 4 * normal(2, 3), "beta0": np.array(0.3)}
THRESHOLD = 0.5


def linearised_poisson(p: Parameters) -> Any:
    """The rate is exp(z) below a threshold, and goes on linearly above it."""
    z = FEATURES @ p["beta"] + p["beta0"]
    rate = np.where(z > THRESHOLD, np.exp(THRESHOLD) * z + (1 - THRESHOLD) * np.exp(THRESHOLD), np.exp(z))
    return np.sum(rate - COUNTS * np.log(rate))


@mistake(
    linearised_poisson,
    POISSON,
    source="https://github.com/glm-tools/pyglmnet/issues/181",
    step="dz",
    cause="The slope of the linear part is eta itself; it should be exp(eta).",
    fix={"slope = np.where(z > THRESHOLD, THRESHOLD,": "slope = np.where(z > THRESHOLD, np.exp(THRESHOLD),"},
    says=r"exp\(|THRESHOLD|eta|0\.5",
)
def pyglmnet_linearised_poisson_gradient(p: Parameters) -> dict[str, Any]:
    z = FEATURES @ p["beta"] + p["beta0"]
    eta = np.exp(THRESHOLD)
    rate = np.where(z > THRESHOLD, eta * z + (1 - THRESHOLD) * eta, np.exp(z))
    drate = 1 - COUNTS / rate
    slope = np.where(z > THRESHOLD, THRESHOLD, np.exp(z))
    dz = drate * slope
    return {"drate": drate, "dz": dz, "dbeta": FEATURES.T @ dz, "dbeta0": np.sum(dz)}


PLACES = np.linspace(0, 3, 5)
OBSERVED = normal(3, 5)
PROCESS = {"mean": np.array(0.2), "slope": np.array(0.4)}
COVARIANCE = np.exp(-0.5 * (PLACES[:, None] - PLACES) ** 2) + 0.1 * np.eye(5)


def log_likelihood(p: Parameters) -> Any:
    r = OBSERVED - p["mean"] - p["slope"] * PLACES
    alpha = np.linalg.solve(COVARIANCE, r)
    return -0.5 * r @ alpha


@mistake(
    log_likelihood,
    PROCESS,
    source="https://github.com/STOR-i/GaussianProcesses.jl/issues/26",
    step="dmean dslope",
    cause="The derivatives with respect to the parameters of the mean have the wrong sign.",
    fix={"dmean = -np.sum(alpha)": "dmean = np.sum(alpha)", "dslope = -PLACES @ alpha": "dslope = PLACES @ alpha"},
    says=r"sign|minus",
)
def gaussian_processes_mean_sign(p: Parameters) -> dict[str, Any]:
    r = OBSERVED - p["mean"] - p["slope"] * PLACES
    alpha = np.linalg.solve(COVARIANCE, r)
    dmean = -np.sum(alpha)
    dslope = -PLACES @ alpha
    return {"dmean": dmean, "dslope": dslope}


SENSORS, MODEL = normal(4, 6), normal(5, 6)
SCALE = {"log_rho": np.array(0.7), "log_sigma": np.array(-0.3)}


def log_posterior(p: Parameters) -> Any:
    rho, sigma = np.exp(p["log_rho"]), np.exp(p["log_sigma"])
    r = SENSORS - rho * MODEL
    return 0.5 * np.sum(r**2) / sigma**2 + 6 * p["log_sigma"]


@mistake(
    log_posterior,
    SCALE,
    source="https://github.com/alan-turing-institute/stat-fem/issues/35",
    step="dlog_rho",
    cause="A factor rho is missing: the parameter is its logarithm.",
    fix={"dlog_rho = drho": "dlog_rho = drho * rho"},
    says=r"rho|factor",
)
def stat_fem_log_scale_gradient(p: Parameters) -> dict[str, Any]:
    rho, sigma = np.exp(p["log_rho"]), np.exp(p["log_sigma"])
    r = SENSORS - rho * MODEL
    drho = -r @ MODEL / sigma**2
    dlog_rho = drho
    dlog_sigma = -np.sum(r**2) / sigma**2 + 6
    return {"drho": drho, "dlog_rho": dlog_rho, "dlog_sigma": dlog_sigma}


TAIL = {"theta": np.array([21.0, 25.5, 23.0, 28.0])}


def bernoulli_logit(p: Parameters) -> Any:
    """The log probability of ones, where the logits are so large that log1p(exp(-theta)) is exp(-theta)."""
    e = np.exp(-p["theta"])
    return np.sum(-np.log1p(e))


@mistake(
    bernoulli_logit,
    TAIL,
    source="https://github.com/stan-dev/math/pull/3397",
    step="dtheta",
    cause="In the upper tail, theta > 20, the gradient has the wrong sign.",
    fix={"np.where(theta > 20, -e,": "np.where(theta > 20, e / (1 + e),"},
    says=r"sign|minus",
)
def stan_bernoulli_tail(p: Parameters) -> dict[str, Any]:
    theta = p["theta"]
    e = np.exp(-theta)
    dtheta = np.where(theta > 20, -e, 1 - sigmoid(theta))
    return {"dtheta": dtheta}


DRIFT, LEVEL, PUSH = normal(10, 4, 4), normal(11, 4), normal(12, 4)
MOVED = {"x": normal(13, 4)}


def drift_along_own_coordinate(p: Parameters) -> Any:
    """Each component of an Ornstein-Uhlenbeck drift, with its own coordinate alone moved."""
    points = LEVEL * 0.3 + np.diag(p["x"])
    f = np.sum(DRIFT * (LEVEL - points), axis=1)
    return np.sum(PUSH * f**2)


@mistake(
    drift_along_own_coordinate,
    MOVED,
    source="https://github.com/AndreiChertkov/fpcross/pull/2",
    step="dx",
    cause="The derivative along one's own coordinate is the diagonal of the matrix, not the sum of a row.",
    fix={"np.sum(DRIFT, axis=1)": "np.diag(DRIFT)"},
    says=r"diag|sum",
)
def fpcross_row_sum(p: Parameters) -> dict[str, Any]:
    points = LEVEL * 0.3 + np.diag(p["x"])
    f = np.sum(DRIFT * (LEVEL - points), axis=1)
    df = 2 * PUSH * f
    dx = -df * np.sum(DRIFT, axis=1)
    return {"df": df, "dx": dx}


REGRESSED, RESPONSE = normal(14, 6, 2), normal(15, 6)
TOBIT = {"b": normal(16, 2), "s": np.array(1.3)}


def uncensored_tobit(p: Parameters) -> Any:
    stats = (RESPONSE - REGRESSED @ p["b"]) / p["s"]
    return np.sum(0.5 * stats**2 + np.log(p["s"]))


@mistake(
    uncensored_tobit,
    TOBIT,
    source="https://github.com/jamesdj/tobit/pull/4 (a correction that was proposed)",
    step="ds",
    cause="The derivative with respect to the standard deviation is halved.",
    fix={"ds = -0.5 * np.sum(": "ds = -np.sum("},
    says=r"half|1/2|0\.5",
)
def tobit_half_sigma(p: Parameters) -> dict[str, Any]:
    stats = (RESPONSE - REGRESSED @ p["b"]) / p["s"]
    dstats = stats
    db = -REGRESSED.T @ dstats / p["s"]
    ds = -0.5 * np.sum(stats**2 - 1) / p["s"]
    return {"db": db, "ds": ds}


EXPOSED, WAITED = 0.5 * normal(17, 7, 2), np.abs(normal(18, 7)) + 0.5
INVERSE = {"beta": 0.3 * normal(19, 2)}


def inverse_gaussian_with_estimated_scale(p: Parameters) -> Any:
    mu = np.exp(EXPOSED @ p["beta"])
    scale = np.sum((WAITED - mu) ** 2 / mu**3) / 5
    d = np.sum((WAITED - mu) ** 2 / (mu**2 * WAITED))
    return 0.5 * d / scale + 3.5 * np.log(scale)


@mistake(
    inverse_gaussian_with_estimated_scale,
    INVERSE,
    source="https://github.com/statsmodels/statsmodels/issues/4616",
    step="dmu",
    cause="The scale is held constant, but it is estimated from the means: their effect through it is missing.",
    fix={"dmu = -(y - mu) / mu**3 / scale": "dmu = -(y - mu) / mu**3 / scale + dscale * r / 5"},
    says=r"scale|contribution|constant|missing",
)
def statsmodels_estimated_scale(p: Parameters) -> dict[str, Any]:
    y, mu = WAITED, np.exp(EXPOSED @ p["beta"])
    scale = np.sum((y - mu) ** 2 / mu**3) / 5
    d = np.sum((y - mu) ** 2 / (mu**2 * y))
    dscale = -0.5 * d / scale**2 + 3.5 / scale
    r = -2 * (y - mu) / mu**3 - 3 * (y - mu) ** 2 / mu**4
    dmu = -(y - mu) / mu**3 / scale
    deta = dmu * mu
    assert r.shape == mu.shape
    return {"dscale": dscale, "dmu": dmu, "dbeta": EXPOSED.T @ deta}


ASKED, ANSWERED = normal(20, 6, 3), np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.0])


def logit_link(p: Parameters) -> Any:
    eta = ASKED @ p["coef"]
    mu = 1 / (1 + np.exp(-eta))
    return -np.sum(ANSWERED * np.log(mu) + (1 - ANSWERED) * np.log(1 - mu))


@mistake(
    logit_link,
    {"coef": 0.7 * normal(21, 3)},
    source="https://github.com/paiml/aprender/pull/2122",
    step="deta",
    cause="The derivative of the link is taken for that of its inverse: divided by, instead of multiplied.",
    fix={"deta = dmu / (mu * (1 - mu))": "deta = dmu * (mu * (1 - mu))"},
    says=r"divi|multipl|/|\* mu|factor",
)
def aprender_link_derivative(p: Parameters) -> dict[str, Any]:
    mu = 1 / (1 + np.exp(-(ASKED @ p["coef"])))
    dmu = (mu - ANSWERED) / (mu * (1 - mu))
    deta = dmu / (mu * (1 - mu))
    return {"dmu": dmu, "deta": deta, "dcoef": ASKED.T @ deta}


SHARES = {"x": np.array([0.12, 0.35, 0.5, 0.71, 0.88, 0.64])}
LOCATION, WIDTH = 0.3, 1.2


def logit_normal(p: Parameters) -> Any:
    z = (np.log(p["x"] / (1 - p["x"])) - LOCATION) / WIDTH
    return np.sum(-0.5 * z**2 - np.log(p["x"] * (1 - p["x"])))


@mistake(
    logit_normal,
    SHARES,
    source="https://github.com/JuliaStats/Distributions.jl/issues/1221",
    step="dx",
    cause="The logarithm stands where the logit should, as in the log-normal distribution.",
    fix={"LOCATION - np.log(x) +": "LOCATION - np.log(x / (1 - x)) +"},
    says=r"1 - x|logit|stands where",
)
def distributions_logit_normal(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    dx = (LOCATION - np.log(x) + WIDTH**2 * (2 * x - 1)) / (WIDTH**2 * x * (1 - x))
    return {"dx": dx}


DECODED = {"mu": normal(22, 4, 3), "logvar": 0.5 * normal(23, 4, 3)}
PIXELS = normal(24, 4, 3)


def gaussian_criterion(p: Parameters) -> Any:
    return np.sum(0.5 * p["logvar"] + 0.5 * (PIXELS - p["mu"]) ** 2 / np.exp(p["logvar"]))


@mistake(
    gaussian_criterion,
    DECODED,
    source="https://github.com/y0ast/VAE-Torch/pull/5",
    step="dlogvar",
    cause="The constant of the derivative with respect to the logarithm of the variance is 1/4 instead of 1/2.",
    fix={"0.25 - 0.5": "0.5 - 0.5"},
    says=r"0\.25|0\.5|half|1/2|constant",
)
def vae_torch_constant_gradient(p: Parameters) -> dict[str, Any]:
    error = PIXELS - p["mu"]
    dmu = -error * np.exp(-p["logvar"])
    dlogvar = 0.25 - 0.5 * np.exp(-p["logvar"]) * error**2
    return {"dmu": dmu, "dlogvar": dlogvar}


GRADED = np.array([0, 1, 0, 2, 0, 1])
ORDERED = {"eta": normal(25, 6), "cut": np.array([-0.4, 0.9])}


def ordered_logistic(p: Parameters) -> Any:
    below = sigmoid(p["cut"] - p["eta"][:, None])
    share = [(below[n, 0], below[n, 1] - below[n, 0], 1 - below[n, 1])[GRADED[n]] for n in range(6)]
    return -np.sum(np.log(np.stack(share)))


@mistake(
    ordered_logistic,
    ORDERED,
    source="https://github.com/stan-dev/math/pull/1249 (also issues/1248)",
    step="dcut",
    cause="Each observation of the first category overwrites the gradient of the first cut point.",
    fix={"dcut[0] = below[n, 0] - 1": "dcut[0] += below[n, 0] - 1"},
    says=r"assign|overwrit|added|accumulat|\+=|missing",
)
def stan_ordered_logistic_cut(p: Parameters) -> dict[str, Any]:
    below = sigmoid(p["cut"] - p["eta"][:, None])
    slope = below * (1 - below)
    deta, dcut = np.zeros(6), np.zeros(2)
    for n in range(6):
        if GRADED[n] == 0:
            deta[n] = 1 - below[n, 0]
            dcut[0] = below[n, 0] - 1
        elif GRADED[n] == 2:
            deta[n] = -below[n, 1]
            dcut[1] += below[n, 1]
        else:
            share = below[n, 1] - below[n, 0]
            deta[n] = (slope[n, 1] - slope[n, 0]) / share
            dcut[0] += slope[n, 0] / share
            dcut[1] -= slope[n, 1] / share
    return {"deta": deta, "dcut": dcut}


ARC = np.abs(normal(26, 3, 5)) * 0.4
ARC_WEIGHT = normal(27, 3, 5)


def spherical_kernel(p: Parameters) -> Any:
    a = p["a"][:, None]
    k = 1 - 1.5 * ARC / a + 0.5 * (ARC / a) ** 3
    return np.sum(ARC_WEIGHT * k)


@mistake(
    spherical_kernel,
    {"a": np.array([1.4, 1.7, 2.2])},
    source="https://github.com/nipreps/eddymotion/pull/216 (the derivative of the spherical covariance)",
    step="da",
    cause="The first term is twice what it should be, and of the second an angle and a length are missing.",
    fix={"3 * ARC / a**2 - 1.5 * (ARC / a) ** 2 / a": "1.5 * (ARC / a**2 - ARC**3 / a**4)"},
    says=r"1\.5|\b3\b|twice|2 times|\*\* ?[34]|power|factor|exponent",
)
def eddymotion_spherical_kernel(p: Parameters) -> dict[str, Any]:
    a = p["a"][:, None]
    dk = ARC_WEIGHT
    slope = 3 * ARC / a**2 - 1.5 * (ARC / a) ** 2 / a
    da = np.sum(dk * slope, axis=1)
    return {"da": da}
