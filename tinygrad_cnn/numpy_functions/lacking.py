"""Attributes of arrays, or of the tensors of other libraries, that a Tensor lacks, and what to write instead."""

from __future__ import annotations

from tinygrad_cnn.engine.tensor import advice

_VALUE = "use its .value, a read-only array without its gradient"
_NO_SWITCH = "gradients flow to every Tensor; for a constant, use tg.stop_gradient(t) or a plain array"
_CPU = "the CPU is the only device"
_NOTHING_TO_ZERO = "backward() sets .grad, and does not add to it, so there is nothing to zero"

INSTEAD = {
    # ndarray
    "base": _VALUE,
    "ctypes": _VALUE,
    "data": _VALUE,
    "flags": _VALUE,
    "byteswap": _VALUE,
    "dump": _VALUE,
    "dumps": _VALUE,
    "getfield": _VALUE,
    "setfield": _VALUE,
    "setflags": _VALUE,
    "tofile": _VALUE,
    "tostring": "use .tobytes()",  # this and the next three: of older versions of NumPy
    "newbyteorder": _VALUE,
    "itemset": "use t[index] = value",
    "ptp": "use the function np.ptp",
    "resize": "use np.resize, which returns a new Tensor",
    "view": "use t[...] for a view; use .astype for another dtype",
    # PyTorch
    "numpy": "use t.value, the array",
    "detach": "use tg.stop_gradient(t), or t.value, the array",
    "clone": "use t.copy()",
    "requires_grad": _NO_SWITCH,
    "requires_grad_": _NO_SWITCH,
    "is_leaf": "use t.node.primitive is None",
    "grad_fn": "use t.node.primitive, or print(tg.graph(t))",
    "retain_grad": "backward() sets the .grad of every intermediate Tensor",
    "zero_grad": _NOTHING_TO_ZERO,
    "zero_": f"use t[...] = 0; {_NOTHING_TO_ZERO}",
    "cpu": _CPU,
    "cuda": _CPU,
    "to": f"use .astype for another dtype; {_CPU}",
    "type": "use .dtype, or .astype for another",
    "float": "use .astype(np.float32)",
    "double": "use .astype(float)",
    "half": "use .astype(np.float16)",
    "long": "use .astype(int), which returns a plain array",
    "dim": "use .ndim",
    "numel": "use .size",
    "permute": "use .transpose(axes)",
    "t": "use .T",
    "unsqueeze": "use np.expand_dims(t, axis), or t[:, None]",
    "unfold": "use tg.im2col",
    "view_as": "use .reshape(other.shape)",
    "expand": "use np.broadcast_to(t, shape)",
    "mm": "use t @ other",
    "bmm": "use t @ other",
    "pow": "use t ** exponent",
    "neg": "use -t",
    "sub": "use t - other",
    "mul": "use t * other",
    "div": "use t / other",
    "norm": "use np.linalg.norm(t)",
    "relu": "use tg.relu(t)",
    "sigmoid": "use tg.sigmoid(t)",
    # JAX and TensorFlow
    "at": "assign to it, t[i] = x or t[i] += x, which is differentiated; for repeated indices, use tg.index_add",
    "block_until_ready": "a Tensor is computed at once",
    "assign": "use t[...] = values",
    "assign_add": "use t += values",
}

advice.update(INSTEAD)
