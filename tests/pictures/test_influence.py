"""What an element was computed from, and what it influenced: as reverse mode has it, and as the architecture says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from picture_models import MODELS, parameters
from render_graphs import circle_square, small

import tinygrad_cnn as tg
from tinygrad_cnn.engine.graph import ancestors, handle_on
from tinygrad_cnn.engine.sweep import pull_back
from tinygrad_cnn.pictures.read import local_jacobians


def counts(arrays: Any) -> dict[str, int]:
    """How many elements there are of each value that has a name."""
    return {name: int(found.count()) for name, found in arrays.items() if not name.startswith("%")}


def unmasked(array: Any) -> Any:
    return np.where(np.ma.getmaskarray(array), 0, array.data)


@pytest.fixture(scope="module")
def loss() -> Any:
    return circle_square()


def test_an_element_of_a_pooled_map_comes_from_four_of_the_map_and_sixteen_pixels(loss) -> None:
    found = tg.influence(loss, "max_pool", (3, 5, 6))
    assert counts(found.before) == {"relu": 4, "conv": 4, "Wc": 9, "Bc": 1, "x": 16}
    assert counts(found.after) == {"flatten": 1, "fc": 1, "sigma": 1, "losses": 1, "loss": 1}
    image, row, column = np.nonzero(~found["x"].mask)
    assert set(image) == {3}
    assert set(row) == {9, 10, 11, 12}
    assert set(column) == {11, 12, 13, 14}
    assert found.cut == []


def test_a_weight_of_a_filter_influences_all_images(loss) -> None:
    found = tg.influence(loss, "Wc", (0, 0))
    assert counts(found.before) == {}
    assert counts(found.after)["relu"] == 24 * 28 * 28
    assert counts(found.after)["fc"] == 24
    assert found["x"].count() == 0
    assert found["Wc"].count() == 1


@pytest.mark.parametrize("name", ["batch_norm_mlp", "attention", "autoencoder", "second", "circle_square"])
def test_the_weights_are_what_reverse_mode_gives(name: str) -> None:
    result = MODELS[name]()
    path = ancestors([result.node])[0]
    gradient = pull_back({result.node: np.ones(result.shape)}, path, keep=True)
    steps = [node for node in path if node.primitive is not None]
    for node in (steps[len(steps) // 3], steps[len(steps) // 2]):
        index = tuple([n // 2 for n in node.like.shape])
        seed = np.zeros(node.like.shape)
        seed[index] = 1
        found = tg.influence(result, handle_on(node), index)
        of_the_result = found[result]
        np.testing.assert_allclose(np.sum(unmasked(of_the_result)), gradient[node][index], rtol=1e-9, atol=1e-15)
        before = pull_back({node: seed}, ancestors([node])[0])
        leaves = [leaf for leaf in before if leaf.name is not None]
        assert leaves
        for leaf in leaves:
            np.testing.assert_allclose(unmasked(found[leaf.name]), before[leaf], rtol=1e-9, atol=1e-14)


def test_a_value_may_be_given_as_a_tensor_by_name_or_by_number() -> None:
    W, loss = small()
    by_name = tg.influence(loss, "hidden", 1)
    for found in (tg.influence(loss, "%2", (1,)), tg.influence(loss, "hidden", [-1])):
        np.testing.assert_array_equal(found["W"], by_name[W])
    np.testing.assert_array_equal(by_name[W].mask, [[True, True], [False, False]])
    assert repr(by_name).splitlines()[0] == "hidden[1]"


def test_what_is_not_in_the_graph_is_refused() -> None:
    W, loss = small()
    with pytest.raises(ValueError, match="no value is named 'pool'; this graph has W"):
        tg.influence(loss, "pool", 0)
    with pytest.raises(ValueError, match="is none of the values"):
        tg.influence(loss, tg.Tensor(1.0))
    for index in ((0, 2), 0, (), "a", (0, 1.5)):
        with pytest.raises(IndexError, match=r"expected integers within its shape, \(2, 2\)"):
            tg.influence(loss, W, index)
    with pytest.raises(KeyError, match="'pool' is none of the values"):
        tg.influence(loss, W, (0, 0))["pool"]


def test_where_a_step_is_too_large_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_jacobians, "MOST", 100)
    p = parameters(0, W=(30, 30))
    hidden = tg.named(np.tanh(np.ones((2, 30)) @ p["W"]), "hidden")
    found = tg.influence(np.sum(hidden), "hidden", (0, 0))
    assert counts(found.before) == {}
    assert [why.split(":")[0] for why in found.cut] == ["not followed through matmul"] * len(found.cut)
    assert "at most 100" in repr(found)
