"""scipy.special: the functions that are no ufuncs. (A ufunc takes Tensors as it is: `primitives/scipy_special`.)"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, Handle
from tinygrad_cnn.engine.primitive import Primitive, operand, primitive, to_values
from tinygrad_cnn.extras import extra
from tinygrad_cnn.primitives.scipy_special.gamma_functions import polygamma_of
from tinygrad_cnn.primitives.scipy_special.rules import unsupported
from tinygrad_cnn.replacements import fallback, holds_tensor, replaces

with extra("scipy", "tinygrad_cnn.scipy.special"):
    from scipy import special as scipys

__getattr__, __dir__ = fallback(scipys, globals())


# Sums of exponentials.


@replaces(scipys.logsumexp)
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """As `scipy.special.logsumexp`, also with respect to the weights b; the sign is a plain array."""
    a = operand(a)
    if b is not None:
        b = operand(b)
        used = np.not_equal(to_values(b), 0)
        a, b = np.where(used, a, -np.inf), np.broadcast_to(b, np.broadcast_shapes(np.shape(a), np.shape(b)))
    largest = np.max(to_values(a), axis, keepdims=True, initial=-np.inf)
    finite = np.isfinite(largest)
    terms = np.exp(a - np.where(finite, largest, 0).astype(a.dtype))
    total = np.sum(terms if b is None else b * terms, axis, keepdims=True)
    sign = np.sign(to_values(total))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(np.abs(total) if return_sign else total)
    found = found + np.where(finite, largest, 0).astype(a.dtype)
    if not keepdims:
        found, sign = np.squeeze(found, axis), np.squeeze(sign, axis)[()]
        found = found if found.ndim else found[()]
    return (found, sign) if return_sign else found


@replaces(scipys.softmax)
def softmax(x: Any, axis: Any = None) -> Any:
    """As `scipy.special.softmax`."""
    x = operand(x)
    exponentials = np.exp(x - np.max(to_values(x), axis, keepdims=True))
    return exponentials / np.sum(exponentials, axis, keepdims=True)


@replaces(scipys.log_softmax)
def log_softmax(x: Any, axis: Any = None) -> Any:
    """As `scipy.special.log_softmax`."""
    x = operand(x)
    shifted = x - np.max(to_values(x), axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis, keepdims=True))


if hasattr(scipys, "softplus"):

    @replaces(scipys.softplus)
    def softplus(x: Any) -> Any:
        """As `scipy.special.softplus`."""
        return np.logaddexp(0, operand(x))


# Gamma functions and what is counted with them.

_polygamma = polygamma_of(scipys)


@replaces(scipys.polygamma)
def polygamma(n: Any, x: Any) -> Any:
    """As `scipy.special.polygamma`; n is a plain integer, or an array of them."""
    if holds_tensor((n,)):
        raise TypeError("scipy.special.polygamma: n is a Tensor; expected plain integers, as it is an order")
    return _polygamma(_with_orders(x, n).astype(np.float64), n=np.asarray(n)[()])


def _with_orders(x: Any, n: Any) -> Any:
    """`x`, broadcast to the shape that it has with the orders n."""
    x = operand(x)
    shape = np.broadcast_shapes(np.shape(x), np.shape(n))
    return x if shape == np.shape(x) else np.broadcast_to(x, shape)


@replaces(scipys.multigammaln)
def multigammaln(a: Any, d: Any) -> Any:
    """As `scipy.special.multigammaln`."""
    scipys.multigammaln(to_values(a), d)  # SciPy's own errors of arguments
    a = operand(a)
    constant = np.float64(d * (d - 1) / 4 * math.log(math.pi))
    return sum((scipys.gammaln(a - (j - 1) / 2) for j in range(1, d + 1)), constant)


@replaces(scipys.factorial)
def factorial(n: Any) -> Any:
    """As `scipy.special.factorial`: of a negative number it is 0."""
    n = operand(n).astype(np.float64)
    return _where(np.less(n, 0), 0, scipys.gamma(np.where(np.less(n, 0), 1, n) + 1))


@replaces(scipys.comb)
def comb(N: Any, k: Any, *, repetition: bool = False) -> Any:
    """As `scipy.special.comb`, with exact=False."""
    N, k = (x if isinstance(x, Handle) else np.asarray(x) for x in (operand(N), operand(k)))
    if repetition:
        return _where(np.equal(k, 0) & np.greater_equal(N, 0), 1, scipys.binom(N + k - 1, k))
    return _where(_countable(N, k), scipys.binom(N, k), 0)


@replaces(scipys.perm)
def perm(N: Any, k: Any) -> Any:
    """As `scipy.special.perm`, with exact=False."""
    N, k = (x if isinstance(x, Handle) else np.asarray(x) for x in (operand(N), operand(k)))
    return _where(_countable(N, k), scipys.poch(N - k + 1, k), 0)


def _countable(N: Any, k: Any) -> Any:
    return np.less_equal(k, N) & np.greater_equal(N, 0) & np.greater_equal(k, 0)


def _where(condition: Any, x: Any, y: Any) -> Any:
    found = np.where(condition, x, y)
    return found if found.ndim else found[()]


@primitive(elementwise=True, singular=True, pure=True)
def _riemann_zeta(x: Array, /) -> Array:
    return scipys.zeta(x)


@primitive(elementwise=True, singular=True, pure=True)
def _hurwitz_zeta(x: Array, q: Array, /) -> Array:
    return scipys.zeta(x, q)


_riemann_zeta.defvjp(unsupported("zeta", "x"))
_hurwitz_zeta.defvjp(unsupported("zeta", "x"), lambda g, out, x, q: -g * x * _hurwitz_zeta(x + 1, q))


@replaces(scipys.zeta)
def zeta(x: Any, q: Any = None) -> Any:
    """As `scipy.special.zeta`, with a derivative by q; that by x has no closed form."""
    return _riemann_zeta(operand(x)) if q is None else _hurwitz_zeta(operand(x), operand(q))


# The real branches of Lambert's W.


@primitive(elementwise=True, singular=True, pure=True)
def _lambertw(z: Array, /, k: int, tol: float) -> Array:
    return np.real(scipys.lambertw(z, k, tol)).astype(z.dtype)


_lambertw.defvjp(lambda g, out, z, k, tol: g / (z + np.exp(out)))


@replaces(scipys.lambertw)
def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """As `scipy.special.lambertw`, where its value is real: for k=0 from -1/e on, for k=-1 from -1/e to 0."""
    z = operand(z)
    values = scipys.lambertw(to_values(z), k, tol)
    if np.iscomplexobj(to_values(z)) or np.any(np.not_equal(values.imag, 0)):
        raise NotImplementedError(
            "scipy.special.lambertw: the derivative is supported where the value is real; expected k=0 and z >= -1/e, "
            f"or k=-1 and -1/e <= z < 0, but k is {k!r} and z is {to_values(z)!r}"
        )
    return _lambertw(z.astype(np.float64), k=k, tol=tol) + 0j


# Bessel functions: spherical ones, and the derivatives of the others.


def _spherical(original: Any, sign: int) -> Callable[..., Any]:
    """A spherical Bessel function. It satisfies z² y'' + 2 z y' + (sign z² - n (n + 1)) y = 0."""

    def forward(z: Array, /, n: Any, derivative: bool) -> Array:
        return original(n, z, derivative)

    made: Primitive[..., Array] = Primitive(forward, original.__name__, elementwise=True, singular=True, pure=True)

    @made.defvjp
    def _(g: Array, out: Array, z: Array, n: Any, derivative: bool) -> Array:
        if not derivative:
            return g * made(z, n=n, derivative=True)
        return g * (-2 * out / z - (sign - n * (n + 1) / (z * z)) * made(z, n=n, derivative=False))

    def spherical(n: Any, z: Any, derivative: bool = False) -> Any:
        if holds_tensor((n,)):
            raise TypeError(
                f"scipy.special.{original.__name__}: n is a Tensor; expected plain integers, as it is an order"
            )
        return made(_with_orders(z, n), n=np.asarray(n)[()], derivative=derivative)

    return _documented(spherical, original)


def _documented(function: Callable[..., Any], original: Any) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = original.__name__
    function.__doc__ = f"As `scipy.special.{original.__name__}`, with respect to its argument."
    return replaces(original)(function)


spherical_jn, spherical_yn = _spherical(scipys.spherical_jn, 1), _spherical(scipys.spherical_yn, 1)
spherical_in, spherical_kn = _spherical(scipys.spherical_in, -1), _spherical(scipys.spherical_kn, -1)


def _derivative_of(original: Any, function: Any, phase: int, sign: int = 1) -> Callable[..., Any]:
    def derivative(v: Any, z: Any, n: Any = 1) -> Any:
        orders = v - n if n == 0 or holds_tensor((v,)) else np.asarray(v, np.float64)[()] - n
        total = sum(phase**i * math.comb(n, i) * function(orders + 2 * i, operand(z)) for i in range(n + 1))
        return sign**n * total / 2**n

    return _documented(derivative, original)


jvp, yvp = _derivative_of(scipys.jvp, scipys.jv, -1), _derivative_of(scipys.yvp, scipys.yv, -1)
ivp, kvp = _derivative_of(scipys.ivp, scipys.iv, 1), _derivative_of(scipys.kvp, scipys.kv, 1, -1)
