"""What NumPy and SciPy have and JAX has not, by name.

A test compares these with the installed JAX.
"""

# Functions that a program of NumPy's may call.
LACKING = frozenset(
    {
        "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "common_type", "fix", "isnat", "may_share_memory",
        "min_scalar_type", "real_if_close", "require", "shares_memory",
    }
)  # fmt: skip

# Keywords that say how a result lies in memory, or of what class it is.
MEANINGLESS = frozenset({"order", "subok", "copy", "like", "device"})

# SciPy's special functions that JAX has, and what JAX calls them.
SAME_NAME = (
    "bernoulli", "beta", "betainc", "betaln", "boxcox", "boxcox1p", "comb", "digamma", "entr", "erf", "erfc",
    "erfcx", "erfinv", "exp1", "expi", "expit", "expn", "factorial", "fresnel", "gamma", "gammainc", "gammaincc",
    "gammaln", "gammasgn", "hyp1f1", "hyp2f1", "i0", "i0e", "i1", "i1e", "kl_div", "log_ndtr", "log_softmax",
    "loggamma", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "owens_t", "poch", "polygamma", "rel_entr",
    "sici", "softmax", "spence", "wofz", "xlog1py", "xlogy", "zeta",
)  # fmt: skip
SPECIAL = {**dict(zip(SAME_NAME, SAME_NAME, strict=True)), "psi": "digamma", "dawsn": "dawsn"}
