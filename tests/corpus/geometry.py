"""Coordinates: where something is sampled, projected and turned, and what is between points."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

IMAGE, SAMPLED = normal(1, 6), normal(2, 4)
GRID = {"grid": np.array([-0.63, 0.11, 0.47, 0.85])}


def sampled_image(p: Parameters) -> Any:
    place = (p["grid"] + 1) * (6 - 1) / 2
    hat = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(6)))
    y = hat @ IMAGE
    return np.sum((y - SAMPLED) ** 2)


@mistake(
    sampled_image,
    GRID,
    source="https://github.com/qassemoquab/stnbhwd/issues/29 (a gradient that was expected)",
    step="dgrid",
    cause="The derivative of the step from normalised coordinates to pixels, (height - 1) / 2, is left out.",
    fix={"dgrid = dplace": "dgrid = dplace * (6 - 1) / 2"},
    says=r"2\.5|5 / 2|5/2|factor|0\.4|2/5",
)
def stnbhwd_normalised_grid_gradient(p: Parameters) -> dict[str, Any]:
    place = (p["grid"] + 1) * (6 - 1) / 2
    offset = place[:, None] - np.arange(6)
    near = np.abs(offset) < 1
    dy = 2 * ((near * (1 - np.abs(offset))) @ IMAGE - SAMPLED)
    dplace = dy * ((near * -np.sign(offset)) @ IMAGE)
    dgrid = dplace
    return {"dy": dy, "dplace": dplace, "dgrid": dgrid}


ELLIPSOID = {"log_scale": 0.4 * normal(3, 3), "frame": normal(4, 3, 3)}
SPREAD = normal(5, 3, 3)


def covariance_of_log_scale(p: Parameters) -> Any:
    scale = np.exp(p["log_scale"])
    M = p["frame"] * scale
    cov = M @ M.T
    return np.sum(SPREAD * cov)


@mistake(
    covariance_of_log_scale,
    ELLIPSOID,
    source="https://github.com/openvdb/fvdb-core/pull/433",
    step="dlog_scale",
    cause="The gradient of the scale is returned for that of its logarithm.",
    fix={"dlog_scale = dscale": "dlog_scale = dscale * scale"},
    says=r"\bscale\b|exp|factor",
)
def fvdb_log_scale(p: Parameters) -> dict[str, Any]:
    scale = np.exp(p["log_scale"])
    M = p["frame"] * scale
    dM = (SPREAD + SPREAD.T) @ M
    dscale = np.sum(p["frame"] * dM, axis=0)
    dlog_scale = dscale
    return {"dM": dM, "dscale": dscale, "dlog_scale": dlog_scale, "dframe": dM * scale}
