"""Likelihoods and posteriors."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

OTHERS, MATERN_WEIGHT = normal(1, 4), normal(2, 5, 4)
MATERN = {"x": 1.5 * normal(3, 5)}


def matern_kernel(p: Parameters) -> Any:
    r = np.sqrt(5) * np.abs(p["x"][:, None] - OTHERS) / 1.3
    k = (1 + r + r**2 / 3) * np.exp(-r)
    return np.sum(MATERN_WEIGHT * k)


@mistake(
    matern_kernel,
    MATERN,
    source="https://github.com/cornellius-gp/gpytorch/pull/2598 (the first block of derivatives)",
    step="dr dx",
    cause="The derivative of the kernel with respect to its first input has the wrong sign.",
    fix={"slope = np.sqrt(5)": "slope = -np.sqrt(5)"},
    says=r"sign|minus",
)
def gpytorch_matern_sign(p: Parameters) -> dict[str, Any]:
    difference = p["x"][:, None] - OTHERS
    r = np.sqrt(5) * np.abs(difference) / 1.3
    dk = MATERN_WEIGHT
    slope = np.sqrt(5) / 1.3 * np.sign(difference) * r * (1 + r) / 3 * np.exp(-r)
    dx = np.sum(dk * slope, axis=1)
    return {"dx": dx}


DECODED = {"mu": normal(4, 4, 3), "logvar": 0.5 * normal(5, 4, 3)}
PIXELS = normal(6, 4, 3)


def gaussian_criterion(p: Parameters) -> Any:
    return np.sum(0.5 * p["logvar"] + 0.5 * (PIXELS - p["mu"]) ** 2 / np.exp(p["logvar"]))


@mistake(
    gaussian_criterion,
    DECODED,
    source="https://github.com/y0ast/VAE-Torch/issues/13",
    step="dlogvar",
    cause="The half of the squared error is missing in the derivative with respect to the logarithm of the variance.",
    fix={"0.5 - np.exp": "0.5 - 0.5 * np.exp"},
    says=r"half|0\.5|1/2|2 times|twice",
)
def vae_torch_squared_error(p: Parameters) -> dict[str, Any]:
    error = PIXELS - p["mu"]
    dmu = -error * np.exp(-p["logvar"])
    dlogvar = 0.5 - np.exp(-p["logvar"]) * error**2
    return {"dmu": dmu, "dlogvar": dlogvar}


COUNTS = np.array([2.0, 0.0, 3.0, 1.0, 5.0])
DESIGN = normal(7, 5, 2)
DISPERSED = {"beta": 0.4 * normal(8, 2), "log_alpha": np.array(-0.6)}


def generalized_poisson(p: Parameters) -> Any:
    alpha = np.exp(p["log_alpha"])
    mu = np.exp(DESIGN @ p["beta"])
    a1 = 1 + alpha * mu
    a2 = mu + alpha * mu * COUNTS
    return np.sum(np.log(mu) + (COUNTS - 1) * np.log(a2) - COUNTS * np.log(a1) - a2 / a1)


@mistake(
    generalized_poisson,
    DISPERSED,
    source="https://github.com/statsmodels/statsmodels/issues/7522 (== for =, in a line that was wrong besides)",
    step="dlog_alpha",
    cause="The step from the parameter to its logarithm compares where it means to assign, and does nothing.",
    fix={"dlog_alpha == dlog_alpha**2": "dlog_alpha = dlog_alpha * alpha"},
    says=r"alpha|factor|exp",
)
def statsmodels_transformed_score(p: Parameters) -> dict[str, Any]:
    alpha, y = np.exp(p["log_alpha"]), COUNTS
    mu = np.exp(DESIGN @ p["beta"])
    a1, a2 = 1 + alpha * mu, mu + alpha * mu * y
    dalpha = np.sum(mu * (y * ((y - 1) / a2 - 2 / a1) + a2 / a1**2))
    dmu = 1 / mu + (y - 1) * (1 + alpha * y) / a2 - y * alpha / a1 - (1 + alpha * y) / a1 + a2 * alpha / a1**2
    dlog_alpha = dalpha
    dlog_alpha == dlog_alpha**2
    return {"dalpha": dalpha, "dmu": dmu, "dbeta": DESIGN.T @ (dmu * mu), "dlog_alpha": dlog_alpha}


SHAPE, EVENTS = 1.7, np.array([[1.0, 0, 3], [2, 4, 0], [0, 1, 1], [5, 2, 2]])


def negative_binomial(p: Parameters) -> Any:
    rate = p["rate"]
    return -np.sum(SHAPE * np.log(rate / (1 + rate)) - EVENTS * np.log(1 + rate))


@mistake(
    negative_binomial,
    {"rate": np.array([0.8, 1.4, 2.1])},
    source="https://github.com/stan-dev/math/issues/1662 (loops over alpha, indexes n)",
    step="drate",
    cause="The loop has the length of another argument, 1: of the observations the first alone is used.",
    fix={"for i in range(1):": "for i in range(4):"},
    says=r"range|first|only|iteration|missing|\[0\]|index",
)
def stan_first_observation(p: Parameters) -> dict[str, Any]:
    rate = p["rate"]
    drate = np.zeros(3)
    for i in range(1):
        drate += EVENTS[i] / (1 + rate) - SHAPE / (rate * (1 + rate))
    return {"drate": drate}
