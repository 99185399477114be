"""Coordinates: where something is sampled, projected and turned, and what is between points."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.case import Parameters, mistake, normal

CORNERS, ENCODED = normal(1, 2, 2, 3), normal(2, 5, 3)
RESOLUTION = 1.7
PLACES = {"x": np.random.default_rng(3).random((5, 2)) * 0.5}


def encoded_grid(p: Parameters) -> Any:
    pos = p["x"] * RESOLUTION
    a, b = pos[:, 0:1], pos[:, 1:2]
    y = (1 - a) * ((1 - b) * CORNERS[0, 0] + b * CORNERS[0, 1]) + a * ((1 - b) * CORNERS[1, 0] + b * CORNERS[1, 1])
    return np.sum((y - ENCODED) ** 2)


@mistake(
    encoded_grid,
    PLACES,
    source="https://github.com/ashawkey/torch-ngp/issues/149",
    step="dpos dx",
    cause="The derivative of the first coordinate alone is set to 1, that of the others stays 0.",
    fix={"pos_deriv = np.array([1.0, 0.0])": "pos_deriv = np.array([1.0, 1.0])"},
    says=r"\b0\b|zero|column|first|second|factor|\[:, 1|missing",
)
def torch_ngp_first_coordinate(p: Parameters) -> dict[str, Any]:
    pos = p["x"] * RESOLUTION
    a, b = pos[:, 0:1], pos[:, 1:2]
    near, far = (1 - b) * CORNERS[0, 0] + b * CORNERS[0, 1], (1 - b) * CORNERS[1, 0] + b * CORNERS[1, 1]
    dy = 2 * ((1 - a) * near + a * far - ENCODED)
    across = (1 - a) * (CORNERS[0, 1] - CORNERS[0, 0]) + a * (CORNERS[1, 1] - CORNERS[1, 0])
    pos_deriv = np.array([1.0, 0.0])
    dpos = np.stack([np.sum(dy * (far - near), axis=1), np.sum(dy * across, axis=1)], axis=1) * pos_deriv
    dx = dpos * RESOLUTION
    return {"dy": dy, "dx": dx}


CLOUDS = {"x1": normal(4, 3, 4), "x2": normal(5, 2, 4)}
APART = normal(6, 3, 2)


def distances_of_order_three(p: Parameters) -> Any:
    diff = p["x1"][:, None] - p["x2"][None]
    dist = np.sum(np.abs(diff) ** 3, axis=2) ** (1 / 3)
    return np.sum((dist - APART) ** 2)


@mistake(
    distances_of_order_three,
    CLOUDS,
    source="https://github.com/flagos-ai/FlagGems/issues/5023",
    step="ddiff dx1 dx2",
    cause="The order of the norm is not used: it is the gradient of the Euclidean distance, for any other too.",
    fix={"* diff / dist[:, :, None]": "* np.sign(diff) * np.abs(diff) ** 2 / dist[:, :, None] ** 2"},
    says=r"\*\* ?2|power|square|exponent|sign\(|abs",
)
def flaggems_cdist_order_rule(p: Parameters) -> dict[str, Any]:
    diff = p["x1"][:, None] - p["x2"][None]
    dist = np.sum(np.abs(diff) ** 3, axis=2) ** (1 / 3)
    ddist = 2 * (dist - APART)
    ddiff = ddist[:, :, None] * diff / dist[:, :, None]
    dx1 = ddiff.sum(axis=1)
    dx2 = -ddiff.sum(axis=0)
    return {"ddist": ddist, "ddiff": ddiff, "dx1": dx1, "dx2": dx2}


ATOMS = {"x": 2 * normal(7, 4, 3)}
CHARGES = np.array([-0.83, 0.42, 0.42, 0.3])


def coulomb(p: Parameters) -> Any:
    energy = 0.0
    for i in range(4):
        for j in range(i):
            r = np.sqrt(np.sum((p["x"][i] - p["x"][j]) ** 2))
            energy = energy + CHARGES[i] * CHARGES[j] / r
    return energy


@mistake(
    coulomb,
    ATOMS,
    source="https://github.com/andysim/helpme/issues/20 (forces for gradients)",
    step="dx",
    cause="The forces are returned, which are minus the gradient.",
    fix={"dx[i] += pull": "dx[i] -= pull", "dx[j] -= pull": "dx[j] += pull"},
    says=r"sign|minus",
)
def helpme_forces_sign(p: Parameters) -> dict[str, Any]:
    x = p["x"]
    dx = np.zeros((4, 3))
    for i in range(4):
        for j in range(i):
            between = x[i] - x[j]
            pull = CHARGES[i] * CHARGES[j] * between / np.sum(between**2) ** 1.5
            dx[i] += pull
            dx[j] -= pull
    return {"dx": dx}


KNOTS, HEIGHTS, CURVE = np.linspace(0, 3, 5), normal(8, 5), normal(9, 6)


def curve_of_normalised_basis(p: Parameters) -> Any:
    phi = np.exp(-((p["t"][:, None] - KNOTS) ** 2))
    total = np.sum(phi, axis=1, keepdims=True)
    basis = phi / total
    y = basis @ HEIGHTS
    return np.sum((y - CURVE) ** 2)


@mistake(
    curve_of_normalised_basis,
    {"t": np.array([0.2, 0.7, 1.3, 1.9, 2.4, 2.8])},
    source="https://github.com/SauersML/gam/issues/193",
    step="dphi dt",
    cause="Each row of the basis is divided by its sum, and the derivative takes the sum for a constant.",
    fix={"dphi = dbasis / total": "dphi = (dbasis - np.sum(dbasis * basis, axis=1, keepdims=True)) / total"},
    says=r"total|contribution|constant|sum|missing",
)
def gam_normalised_basis_gradient(p: Parameters) -> dict[str, Any]:
    offset = p["t"][:, None] - KNOTS
    phi = np.exp(-(offset**2))
    total = np.sum(phi, axis=1, keepdims=True)
    basis = phi / total
    dy = 2 * (basis @ HEIGHTS - CURVE)
    dbasis = dy[:, None] * HEIGHTS
    dphi = dbasis / total
    dt = np.sum(dphi * -2 * offset * phi, axis=1)
    return {"dy": dy, "dbasis": dbasis, "dphi": dphi, "dt": dt}


TURNED, TURNED_GOAL = normal(10, 3, 5), normal(11, 3, 5)


def rotation(w: Any, x: Any, y: Any, z: Any) -> Any:
    """The matrix of a quaternion of length 1."""
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row) for row in rows])


def turned_points(p: Parameters) -> Any:
    norm = np.sqrt(np.sum(p["q"] ** 2))
    unit = p["q"] / norm
    R = rotation(unit[0], unit[1], unit[2], unit[3])
    return np.sum((R @ TURNED - TURNED_GOAL) ** 2)


@mistake(
    turned_points,
    {"q": np.array([0.9, -0.4, 0.7, 0.3])},
    source="https://github.com/nerfstudio-project/gsplat/issues/153",
    step="dq",
    cause="The quaternion is normalised, and the gradient is not taken through that.",
    fix={"dq = dunit": "dq = (dunit - unit * np.sum(dunit * unit)) / norm"},
    says=r"norm|constant|contribution|divi|derivative",
)
def gsplat_quaternion_norm_backward(p: Parameters) -> dict[str, Any]:
    norm = np.sqrt(np.sum(p["q"] ** 2))
    unit = p["q"] / norm
    w, x, y, z = unit
    R = rotation(w, x, y, z)
    dR = 2 * (R @ TURNED - TURNED_GOAL) @ TURNED.T
    odd, even = dR - dR.T, dR + dR.T
    dunit = 2 * np.array(
        [
            x * odd[2, 1] + y * odd[0, 2] + z * odd[1, 0],
            w * odd[2, 1] + y * even[0, 1] + z * even[0, 2] - 2 * x * (dR[1, 1] + dR[2, 2]),
            w * odd[0, 2] + x * even[0, 1] + z * even[1, 2] - 2 * y * (dR[0, 0] + dR[2, 2]),
            w * odd[1, 0] + x * even[0, 2] + y * even[1, 2] - 2 * z * (dR[0, 0] + dR[1, 1]),
        ]
    )
    dq = dunit
    return {"dR": dR, "dunit": dunit, "dq": dq}


SEEN_AT = normal(12, 5, 2)
CAMERA = np.array([[1.2, 0.1, 0.2, 0.1], [-0.1, 1.1, 0.1, 0.3], [0.0, 0.0, 1.0, -0.2], [0.1, 0.2, 0.9, 3.0]])
SCENE = {"points": normal(13, 5, 3)}


def projected_points(p: Parameters) -> Any:
    hom = p["points"] @ CAMERA[:, :3].T + CAMERA[:, 3]
    ndc = hom[:, :2] / hom[:, 3:]
    return np.sum((ndc - SEEN_AT) ** 2)


@mistake(
    projected_points,
    SCENE,
    source="https://github.com/WebODM/OpenSplat/issues/185 (project_pix_vjp)",
    step="dhom",
    cause="In the derivative of the division the coordinates that are divided are missing.",
    fix={"-(dndc[:, 0] + dndc[:, 1])": "-(dndc[:, 0] * hom[:, 0] + dndc[:, 1] * hom[:, 1])"},
    says=r"hom|factor|numerator",
)
def the_opensplat_perspective_division(p: Parameters) -> dict[str, Any]:
    hom = p["points"] @ CAMERA[:, :3].T + CAMERA[:, 3]
    rw = 1 / hom[:, 3]
    dndc = 2 * (hom[:, :2] * rw[:, None] - SEEN_AT)
    dw = -(dndc[:, 0] + dndc[:, 1]) * rw * rw
    dhom = np.stack([dndc[:, 0] * rw, dndc[:, 1] * rw, np.zeros(5), dw], axis=1)
    dpoints = dhom @ CAMERA[:, :3]
    return {"dndc": dndc, "dhom": dhom, "dpoints": dpoints}


ELLIPSOID = {"scale": 1 + 0.3 * normal(14, 3), "frame": normal(15, 3, 3)}
SPREAD, GLOBAL_SCALE = normal(16, 3, 3), 0.7


def covariance_of_scaled(p: Parameters) -> Any:
    M = p["frame"] * (GLOBAL_SCALE * p["scale"])
    cov = M @ M.T
    return np.sum(SPREAD * cov)


@mistake(
    covariance_of_scaled,
    ELLIPSOID,
    source="https://github.com/nerfstudio-project/gsplat/pull/136 (scales' grad and glob_scale)",
    step="dscale",
    cause="The factor that all scales have in common is missing from their gradient.",
    fix={'np.sum(p["frame"] * dM, axis=0)': 'GLOBAL_SCALE * np.sum(p["frame"] * dM, axis=0)'},
    says=r"GLOBAL|factor|0\.7|7/10|10/7|1\.42857",
)
def gsplat_global_scale_gradient(p: Parameters) -> dict[str, Any]:
    M = p["frame"] * (GLOBAL_SCALE * p["scale"])
    dM = (SPREAD + SPREAD.T) @ M
    dscale = np.sum(p["frame"] * dM, axis=0)
    return {"dM": dM, "dscale": dscale, "dframe": dM * GLOBAL_SCALE * p["scale"]}


SPLATS = {"a": 1 + np.abs(normal(20, 4)), "b": 0.3 * normal(21, 4), "c": 1 + np.abs(normal(22, 4))}
OFFSETS, OPAQUE = 0.7 * normal(23, 4, 2), normal(24, 4)


def splats(p: Parameters) -> Any:
    x, y = OFFSETS[:, 0], OFFSETS[:, 1]
    G = np.exp(-0.5 * (p["a"] * x * x + p["c"] * y * y) - p["b"] * x * y)
    return np.sum(OPAQUE * G)


@mistake(
    splats,
    SPLATS,
    source="https://github.com/graphdeco-inria/gaussian-splatting/issues/551 "
    "(as reported; another factor makes up for it)",
    step="db",
    cause="The element beside the diagonal, which comes twice, has the factor of those on the diagonal.",
    fix={"db = -0.5 * gdx * y * dG": "db = -gdx * y * dG"},
    says=r"0\.5|half|2 times|1/2|1 stands|1\.0",
)
def splatting_conic_half_gradient(p: Parameters) -> dict[str, Any]:
    x, y = OFFSETS[:, 0], OFFSETS[:, 1]
    G = np.exp(-0.5 * (p["a"] * x * x + p["c"] * y * y) - p["b"] * x * y)
    dG = OPAQUE
    gdx, gdy = G * x, G * y
    da = -0.5 * gdx * x * dG
    db = -0.5 * gdx * y * dG
    dc = -0.5 * gdy * y * dG
    return {"dG": dG, "da": da, "db": db, "dc": dc}
