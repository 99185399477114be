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
