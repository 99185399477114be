"""What the derivative of a decomposition is where NumPy reads half of a matrix, or where the matrix lacks rank."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numeric import derivatives_agree

import tinygrad_cnn as tg

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(3)
M = RNG.standard_normal((4, 4))
SPD = M @ M.T + 2 * np.eye(4)
WEIGHTS = RNG.standard_normal((4, 4))

# Each reads the lower triangle, or the upper.
LOWER = {
    "eigvalsh": lambda a: np.linalg.eigvalsh(a) * [1.0, -2.0, 3.0, 0.5],
    "eigh": lambda a: np.linalg.eigh(a, "l").eigenvectors ** 2 * WEIGHTS,
    "cholesky": lambda a: np.linalg.cholesky(a) * WEIGHTS,
}
UPPER = {
    "eigvalsh": lambda a: np.linalg.eigvalsh(a, "U") * [1.0, -2.0, 3.0, 0.5],
    "eigh": lambda a: np.linalg.eigh(a, UPLO="U").eigenvectors ** 2 * WEIGHTS,
    "cholesky": lambda a: np.linalg.cholesky(a, upper=True) * WEIGHTS,
}
EACH = [(name, "lower", f) for name, f in LOWER.items()] + [(name, "upper", f) for name, f in UPPER.items()]


@pytest.mark.parametrize(("name", "triangle", "function"), EACH, ids=[f"{name}, {side}" for name, side, _ in EACH])
class TestWhatReadsOneTriangle:
    def test_of_a_matrix_that_is_not_symmetric_the_value_is_numpys(self, name, triangle, function) -> None:
        a = SPD + np.arange(16.0).reshape(4, 4) / 20
        np.testing.assert_allclose(function(tg.Tensor(a)).value, function(a), rtol=1e-13)

    def test_the_derivative_is_that_of_what_is_computed(self, name, triangle, function) -> None:
        derivatives_agree(function, [SPD + np.arange(16.0).reshape(4, 4) / 20], order=2)

    def test_the_gradient_lies_in_the_triangle_that_is_read(self, name, triangle, function) -> None:
        slope = tg.grad(lambda a: np.sum(function(a)))(SPD)
        other = np.triu(slope, 1) if triangle == "lower" else np.tril(slope, -1)
        assert not other.any()
        assert slope.any()

    def test_the_gradient_of_the_symmetric_part_is_symmetric(self, name, triangle, function) -> None:
        slope = tg.grad(lambda a: np.sum(function((a + a.T) / 2)))(SPD)
        np.testing.assert_allclose(slope, slope.T, atol=1e-13)

    def test_the_check_by_differences_agrees_with_the_rule(self, name, triangle, function) -> None:
        of_a = tg.grad(lambda a: np.sum(function(a)))(SPD)
        assert tg.check.gradients(lambda a: np.sum(function(a)), SPD, of_a).ok


def symmetric_part(x: np.ndarray) -> np.ndarray:
    return (x + x.T) / 2


@pytest.mark.peers
@pytest.mark.parametrize("name", LOWER)
def test_the_symmetric_part_of_the_gradient_is_that_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = {
        "eigvalsh": lambda a: torch.linalg.eigvalsh(a) * torch.tensor([1.0, -2.0, 3.0, 0.5], dtype=a.dtype),
        "eigh": lambda a: torch.linalg.eigh(a)[1] ** 2 * torch.tensor(WEIGHTS),
        "cholesky": lambda a: torch.linalg.cholesky(a) * torch.tensor(WEIGHTS),
    }
    a = torch.tensor(SPD, requires_grad=True)
    theirs[name](a).sum().backward()
    ours = tg.grad(lambda a: np.sum(LOWER[name](a)))(SPD)
    np.testing.assert_allclose(symmetric_part(ours), symmetric_part(a.grad.numpy()), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ["eigvalsh", "eigh"])
def test_the_gradient_is_that_of_hips_autograd(name: str) -> None:
    autograd = pytest.importorskip("autograd", reason="HIPS autograd is not installed")
    import autograd.numpy as anp

    theirs = {
        "eigvalsh": lambda a: anp.linalg.eigh(a)[0] * anp.array([1.0, -2.0, 3.0, 0.5]),
        "eigh": lambda a: anp.linalg.eigh(a)[1] ** 2 * WEIGHTS,
    }
    expected = autograd.grad(lambda a: anp.sum(theirs[name](a)))(SPD)
    np.testing.assert_allclose(tg.grad(lambda a: np.sum(LOWER[name](a)))(SPD), expected, rtol=1e-9, atol=1e-11)


def vectors(matrix: np.ndarray):
    return tg.grad(lambda a: np.sum(np.linalg.eigh(a)[1] * WEIGHTS[:3, :3]))(matrix)


Q = np.linalg.qr(M[:3, :3])[0]
NEARLY_EQUAL = {
    "eigh": (vectors, Q @ np.diag([1.0, 1 + 1e-12, 3]) @ Q.T),
    "svd": (
        lambda a: tg.grad(lambda a: np.sum(np.linalg.svd(a)[0] * WEIGHTS[:3, :3]))(a),
        Q @ np.diag([1.0, 1 + 1e-12, 3]),
    ),
}
WELL_APART = {
    "eigh": (vectors, Q @ np.diag([1.0, 2, 3]) @ Q.T),
    "eigvalsh": (lambda a: tg.grad(lambda a: np.sum(np.linalg.eigvalsh(a)))(a), np.eye(3)),
    "svdvals": (lambda a: tg.grad(lambda a: np.sum(np.linalg.svdvals(a)))(a), np.eye(3)),
}


@pytest.mark.parametrize("name", NEARLY_EQUAL)
def test_debug_mode_warns_of_vectors_that_are_hardly_determined(name: str) -> None:
    gradient, matrix = NEARLY_EQUAL[name]
    with tg.debug(), pytest.warns(RuntimeWarning, match=rf"np\.linalg\.{name}: two of the values differ by .*\n.*line"):
        gradient(matrix)


@pytest.mark.parametrize("name", WELL_APART)
def test_debug_mode_says_nothing_of_vectors_that_are_determined_or_not_used(name: str) -> None:
    gradient, matrix = WELL_APART[name]
    with tg.debug(), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(gradient(matrix)).all()


LACKING_RANK = {
    "zeros, high": np.zeros((3, 2)),
    "zeros, wide": np.zeros((2, 3)),
    "zeros, square": np.zeros((2, 2)),
    "a column of zeros": np.array([[1.0, 0], [2, 0], [3, 0]]),
    "a row of zeros": np.array([[1.0, 2, 3], [0, 0, 0]]),
    "a square with a zero": np.diag([2.0, 0]),
    "a product of vectors": np.outer([1.0, 2, 3], [1.0, -1]),
}
SINGULAR_NORMS = {
    "2": lambda a: np.linalg.norm(a, 2),
    "nuc": lambda a: np.linalg.norm(a, "nuc"),
    "-2": lambda a: np.linalg.norm(a, -2),
    "svdvals": lambda a: np.sum(np.linalg.svdvals(a)),
    "svd": lambda a: np.sum(np.linalg.svd(a, full_matrices=False).S),
    "svd without vectors": lambda a: np.sum(np.linalg.svd(a, compute_uv=False)),
}


@pytest.mark.parametrize("matrix", LACKING_RANK.values(), ids=LACKING_RANK)
@pytest.mark.parametrize("norm", ["2", "nuc", "svdvals", "svd", "svd without vectors"])
def test_the_gradient_of_a_norm_of_singular_values_is_a_subgradient(matrix: np.ndarray, norm: str) -> None:
    """A convex function lies above every plane that a subgradient gives: f(b) >= f(a) + <slope, b - a>."""
    function = SINGULAR_NORMS[norm]
    value, slope = tg.value_and_grad(function)(matrix)
    for other in (*RNG.standard_normal((20, *matrix.shape)), np.zeros_like(matrix)):
        assert function(other) >= value + np.sum(slope * (other - matrix)) - 1e-12


@pytest.mark.parametrize("matrix", LACKING_RANK.values(), ids=LACKING_RANK)
def test_the_least_singular_value_has_a_finite_slope_where_it_is_zero(matrix: np.ndarray) -> None:
    slope = tg.grad(SINGULAR_NORMS["-2"])(matrix)
    assert np.linalg.norm(slope, 2) <= 1 + 1e-12


@pytest.mark.peers
@pytest.mark.parametrize("norm", SINGULAR_NORMS)
def test_jax_has_the_same_slopes_of_singular_values_where_they_are_unique(norm: str) -> None:
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    theirs = {
        "2": lambda a: jnp.linalg.norm(a, 2),
        "nuc": lambda a: jnp.linalg.norm(a, "nuc"),
        "-2": lambda a: jnp.linalg.norm(a, -2),
    }.get(norm, lambda a: jnp.sum(jnp.linalg.svdvals(a)))
    for matrix in (M[:, :2], M[:3], M):
        found, expected = tg.grad(SINGULAR_NORMS[norm])(matrix), jax.grad(theirs)(matrix)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("matrix", [np.zeros((3, 2)), np.ones((3, 2)), np.tile([1.0, 2.0, 3.0], (3, 1))], ids=str)
def test_the_gradient_of_qr_is_not_a_number_where_the_matrix_lacks_rank(matrix) -> None:
    regular = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 3.0]])[:, : matrix.shape[1]]
    gradient = tg.grad(lambda a: np.sum(np.linalg.qr(a)[1]))(np.stack([matrix, regular]))
    assert np.isnan(gradient[0]).all()
    assert np.isfinite(gradient[1]).all()
