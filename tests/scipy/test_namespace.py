"""The namespace tinygrad_cnn.scipy: SciPy's objects, and functions that are SciPy's where no Tensor is passed."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_cnn as tg
import tinygrad_cnn.scipy
from tinygrad_cnn.replacements import holds_tensor, replacements, replaces

scipy = pytest.importorskip("scipy", reason="SciPy is not installed")


def test_importing_the_package_does_not_import_scipy() -> None:
    code = "import sys, tinygrad_cnn, tinygrad_cnn.scipy; assert not any(m.startswith('scipy') for m in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_not_defined_here_is_scipys() -> None:
    import scipy.special

    from tinygrad_cnn.scipy import special
    from tinygrad_cnn.scipy.special import gamma

    assert gamma is scipy.special.gamma
    assert set(scipy.special.__all__) <= set(dir(special))
    with pytest.raises(AttributeError, match="no attribute 'gama'"):
        _ = special.gama


@pytest.mark.parametrize("name", tinygrad_cnn.scipy.MODULES)
def test_every_public_name_of_scipys_module_is_there(name: str) -> None:
    theirs, ours = getattr(scipy, name), getattr(tinygrad_cnn.scipy, name)
    assert replacements[id(theirs)] == (theirs, ours)
    for attribute in theirs.__all__:
        original, counterpart = getattr(theirs, attribute), getattr(ours, attribute)
        assert counterpart is original or replacements[id(original)] == (original, counterpart)


@pytest.mark.parametrize("name", tinygrad_cnn.scipy.MODULES)
def test_a_missing_scipy_names_the_extra(name: str) -> None:
    code = f"import sys; sys.modules['scipy'] = None; import tinygrad_cnn.scipy.{name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'tinygrad-cnn[scipy]'" in done.stderr


def test_a_tensor_is_found_in_lists_and_tuples() -> None:
    t = tg.Tensor(1.0)
    assert holds_tensor([1, t])
    assert holds_tensor([[1, (2, t)]])
    assert not holds_tensor([1, [np.ones(2)], "t", {}])


def test_a_counterpart_refuses_what_it_does_not_support_by_name() -> None:
    def original(x, axis=0, mode="a", overwrite_x=False):
        return "original"

    @replaces(original, "package.original")
    def counterpart(x, mode="a"):
        return "counterpart", mode

    t = tg.Tensor(1.0)
    assert counterpart(1.0, 3) == "original"
    assert counterpart(t) == counterpart(t, 0) == counterpart(x=t, axis=0, overwrite_x=True) == ("counterpart", "a")
    assert counterpart(t, 0, "b") == counterpart(x=t, mode="b") == ("counterpart", "b")
    with pytest.raises(
        NotImplementedError, match=r"^package\.original: axis=1 is not supported for Tensors; expected 0$"
    ):
        counterpart(t, 1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        counterpart(t, axes=1)


def test_a_parameter_that_the_original_lacks_is_refused_as_by_the_original() -> None:
    def original(x):
        return "original"

    @replaces(original, "package.original")
    def counterpart(x, axis=0):
        return "counterpart"

    assert counterpart(tg.Tensor(1.0)) == "counterpart"
    with pytest.raises(TypeError, match="unexpected keyword argument 'axis'"):
        counterpart(tg.Tensor(1.0), axis=1)


@pytest.mark.parametrize("name", tinygrad_cnn.scipy.MODULES)
def test_a_counterpart_has_no_parameter_that_scipys_function_lacks(name: str) -> None:
    if tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 17):
        pytest.skip("an older version of SciPy may lack some")
    theirs, ours = getattr(scipy, name), getattr(tinygrad_cnn.scipy, name)
    theirs, ours = (theirs.distance, ours.distance) if name == "spatial" else (theirs, ours)
    for attribute in theirs.__all__:
        original, counterpart = getattr(theirs, attribute), getattr(ours, attribute)
        if counterpart is not original and inspect.isfunction(counterpart):
            parameters = inspect.signature(original).parameters
            if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
                assert set(inspect.signature(counterpart).parameters) <= set(parameters), attribute


def test_counterparts_are_documented_and_keep_the_names_of_scipys() -> None:
    for original, counterpart in replacements.values():
        if inspect.isfunction(counterpart) and counterpart.__module__.startswith("tinygrad_cnn.scipy"):
            assert counterpart.__doc__
            assert counterpart.__name__ == original.__name__
