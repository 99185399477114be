"""An error about a Tensor is the same text whenever it is read, and keeps nothing alive once it is dropped."""

from __future__ import annotations

import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg
import tinygrad_cnn.numpy as aware


def refused() -> tg.GradientLostError:
    with pytest.raises(tg.GradientLostError) as raised:
        np.asarray(tg.Tensor([1.0]))
    return raised.value


def test_it_is_the_same_when_it_is_read_late_and_in_another_process() -> None:
    error = refused()
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is tg.GradientLostError
    assert str(again) == str(error)
    assert "`np.asarray(tg.Tensor([1.0]))` would lose the gradient of tg.Tensor([1.0])" in repr(error)


@pytest.mark.parametrize("function", [aware.sum, aware.exp, aware.array, aware.linalg.norm, aware.zeros_like])
def test_a_list_that_is_made_an_array_after_a_refusal_leaves_no_garbage(function: Any) -> None:
    gc.collect()
    gc.disable()
    try:
        t = tg.Tensor([1.0, 2.0])
        gone = weakref.ref(t.node.value)
        function([t, t])
        del t
        assert gone() is None
    finally:
        gc.enable()


def test_attributes_that_are_only_asked_for_are_not_there() -> None:
    t = tg.Tensor(1.0)
    assert not hasattr(t, "flags")
    assert getattr(t, "nonsense", None) is None
