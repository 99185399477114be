"""Code that calls packages that work on plain arrays. See `test_messages.py`."""

import numpy as np
import pandas as pd
import scipy.linalg
import scipy.ndimage
import scipy.sparse


def series(x):
    return pd.Series(x).mean()


def column(x):
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
    table["b"] = x
    return table["b"].sum()


def solved(x):
    return scipy.linalg.solve(np.eye(3), x).sum()


def filtered(x):
    return scipy.ndimage.gaussian_filter(x, 1.0).sum()


def sparse(x):
    return (scipy.sparse.eye(3) @ x).sum()


def flags(x):
    return scipy.linalg.get_blas_funcs("gemm", (x[None],))
