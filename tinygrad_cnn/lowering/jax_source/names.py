"""What NumPy and SciPy have and JAX has not, by name.

A test compares these with the installed JAX.
"""

# Functions that a program of NumPy's may call.
LACKING = frozenset(
    {
        "asarray_chkfinite", "common_type", "isnat", "may_share_memory", "min_scalar_type", "real_if_close", "require",
        "shares_memory",
    }
)  # fmt: skip
RENAMED = {"asanyarray": "asarray", "ascontiguousarray": "asarray", "asfortranarray": "asarray", "fix": "trunc"}

# Ufuncs of two operands that are plain functions in JAX, without methods such as `reduce`.
NO_UFUNC = frozenset(
    {
        "arctan2", "atan2", "bitwise_left_shift", "bitwise_right_shift", "copysign", "divide", "equal", "float_power",
        "floor_divide", "fmax", "fmin", "fmod", "gcd", "greater", "greater_equal", "heaviside", "hypot", "lcm", "ldexp",
        "left_shift", "less", "less_equal", "matmul", "matvec", "mod", "nextafter", "not_equal", "pow", "power",
        "remainder", "right_shift", "true_divide", "vecdot", "vecmat",
    }
)  # fmt: skip

# SciPy's special functions that JAX has, and what JAX calls them.
SAME_NAME = (
    "bernoulli", "beta", "betainc", "betaln", "boxcox", "boxcox1p", "comb", "digamma", "entr", "erf", "erfc",
    "erfcx", "erfinv", "exp1", "expi", "expit", "expn", "factorial", "fresnel", "gamma", "gammainc", "gammaincc",
    "gammaln", "gammasgn", "hyp1f1", "hyp2f1", "i0", "i0e", "i1", "i1e", "kl_div", "log_ndtr", "log_softmax",
    "loggamma", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "owens_t", "poch", "polygamma", "rel_entr",
    "sici", "softmax", "spence", "wofz", "xlog1py", "xlogy", "zeta",
)  # fmt: skip
SPECIAL = {**dict(zip(SAME_NAME, SAME_NAME, strict=True)), "psi": "digamma", "dawsn": "dawsn"}
