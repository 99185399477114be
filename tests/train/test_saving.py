"""Trees in files: what `save` writes, `load` reads back the same; other structures and damaged files are refused."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.train import DamagedFileError, saving


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclass(frozen=True)
class Layer:
    W: Any
    b: Any = None


def same(a: Any, b: Any) -> bool:
    """Whether two trees are the same: types, dtypes, byte orders and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, Layer):
        return same(a.W, b.W) and same(a.b, b.b)
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return repr(a) == repr(b)


def plain(tree: Any) -> Any:
    """What comes back without `like`: dicts and lists."""
    if isinstance(tree, Pair | Layer):
        tree = vars(tree) if isinstance(tree, Layer) else tree._asdict()
    if isinstance(tree, dict):
        return {key: plain(x) for key, x in tree.items()}
    return list(map(plain, tree)) if isinstance(tree, list | tuple) else tree


DTYPES = st.one_of(
    numpy_st.boolean_dtypes(),
    numpy_st.integer_dtypes(endianness="?"),
    numpy_st.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    numpy_st.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    numpy_st.datetime64_dtypes(endianness="?"),
    numpy_st.unicode_string_dtypes(endianness="?", min_len=1, max_len=4),
    numpy_st.byte_string_dtypes(min_len=1, max_len=4),
)
ARRAYS = DTYPES.flatmap(lambda dtype: numpy_st.arrays(dtype, numpy_st.array_shapes(min_dims=0, min_side=0, max_side=4)))
VIEWS = ARRAYS.flatmap(lambda x: st.sampled_from([x, x.T, x[::-1] if x.ndim else x, np.broadcast_to(x, (2, *x.shape))]))
NUMBERS = st.one_of(st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(max_size=5))
KEYS = st.one_of(st.text(max_size=4), st.integers(), st.just("__metadata__"), st.just("a.b"), st.just("\ud800"))
TREES = st.recursive(
    st.one_of(VIEWS, NUMBERS, st.none(), st.floats(width=32).map(np.float32), st.integers(0, 9).map(np.int64)),
    lambda trees: st.one_of(
        st.dictionaries(KEYS, trees, max_size=3),
        st.lists(trees, max_size=3),
        st.lists(trees, max_size=3).map(tuple),
        st.builds(Pair, trees, trees),
        st.builds(Layer, trees, trees),
    ),
    max_leaves=8,
)


@given(TREES)
@settings(max_examples=300)
def test_a_tree_comes_back_with_its_structure_its_dtypes_and_its_bits(tree: Any) -> None:
    content = saving.dumped(tree)
    loaded = saving.loads(content, "file")
    assert same(loaded.tree, plain(tree))
    assert same(loaded.like(tree), tree)


@given(TREES, st.data())
@settings(max_examples=200)
def test_a_changed_byte_is_noticed(tree: Any, data: st.DataObject) -> None:
    content = bytearray(saving.dumped(tree))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        loaded = saving.loads(bytes(content), "file").tree
    except DamagedFileError:
        return
    assert same(loaded, plain(tree))  # blanks of the header, and the case of letters in its escapes, say nothing


@pytest.mark.parametrize("length", [0, 1, 7, 8, 40, -1, -8])
def test_a_truncated_file_is_refused_in_one_line(tmp_path: Path, length: int) -> None:
    path = tmp_path / "model.safetensors"
    tg.save(path, {"W": np.ones((3, 3))})
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedFileError) as error:
        tg.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "nodes",
    [
        [], [["none"], ["none"]], [["list", 1]], [["list", 10**9]], [["dict", [[]]], ["none"]], [["array", "W"]], [[]],
        [["array", "W", "|O", [2], False]], [["array", "W", "<f8", [3], False]], [["array", "W", "V8", [2], False]],
        [["array", "W", "<f8", [10**9, 10**9], False]], [["array", "V", "<f8", [2], False]], [["eval", "1"]], [3], {},
        [["float", "0x1p99999"]], [["float", 3]], [["int", "x"]], [["complex", []]], [["bool"]], None,
        [["generator", {"bit_generator": "seed", "state": {}}]], [["generator", {"bit_generator": "PCG64"}]],
        [["generator", {"bit_generator": "PCG64", "state": {"state": -1, "inc": 2**999}}]], [["generator", 3]],
    ],
)  # fmt: skip
def test_a_file_that_describes_no_tree_is_refused(nodes: Any) -> None:
    W = np.ones(2)
    stored = [W.tobytes() for node in nodes or () if isinstance(node, list) and node[:1] == ["array"]]
    about = {"tree": nodes, "static": {}, "checksum": saving._checksum(json.dumps([nodes, {}]), stored)}
    content = safetensors.numpy.save({"W": W}, metadata={"tinygrad_cnn": json.dumps(about)})
    with pytest.raises(DamagedFileError):
        saving.loads(content, "file")


def test_random_bytes_are_refused() -> None:
    rng = np.random.default_rng(0)
    for length in range(200):
        with pytest.raises(DamagedFileError):
            saving.loads(rng.bytes(length), "file")


def test_the_arrays_are_tensors_for_other_libraries(tmp_path: Path) -> None:
    tree = {"layers": [{"W": np.arange(6.0).reshape(2, 3).T}], "b": np.float32(3)}
    tg.save(tmp_path / "model", tree)
    tensors = safetensors.numpy.load_file(tmp_path / "model")
    assert tensors.keys() == {"layers[0].W", "b"}
    np.testing.assert_array_equal(tensors["layers[0].W"], tree["layers"][0]["W"])


def test_a_file_of_another_library_is_a_dict_of_its_tensors(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"W": np.ones((2, 2), np.float16)}, tmp_path / "model")
    loaded = tg.load(tmp_path / "model", like={"W": np.zeros((2, 2), np.float16)})
    assert same(loaded, {"W": np.ones((2, 2), np.float16)})


def test_a_tensor_is_saved_as_its_value_and_loaded_as_a_tensor_where_one_is_expected(tmp_path: Path) -> None:
    tg.save(tmp_path / "model", {"W": tg.Tensor([1.0, 2.0], "W")})
    assert same(tg.load(tmp_path / "model"), {"W": np.array([1.0, 2.0])})
    loaded = tg.load(tmp_path / "model", like={"W": tg.Tensor([0.0, 0.0], "W")})
    assert isinstance(loaded["W"], tg.Tensor)
    assert (loaded["W"].name, loaded["W"].value.tolist()) == ("W", [1.0, 2.0])


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_a_generator_goes_on_where_it_was(tmp_path: Path, bits: Any) -> None:
    rng = np.random.Generator(bits(7))
    rng.integers(0, 9, 3, dtype=np.int32)
    tg.save(tmp_path / "state", {"rng": rng})
    assert tg.load(tmp_path / "state")["rng"].random(5).tolist() == rng.random(5).tolist()


def test_a_subclass_of_dict_comes_back_with_like(tmp_path: Path) -> None:
    tree = OrderedDict(b=1.0, a=2.0)
    tg.save(tmp_path / "tree", tree)
    assert same(tg.load(tmp_path / "tree", like=OrderedDict(b=0.0, a=0.0)), tree)


def test_a_tree_deeper_than_pythons_recursion_comes_back() -> None:
    tree: Any = 1.5
    for _ in range(20_000):
        tree = [tree]
    loaded = saving.loads(saving.dumped(tree), "file").tree
    for _ in range(20_000):
        (loaded,) = loaded
    assert loaded == 1.5


def test_what_is_loaded_is_the_callers_own(tmp_path: Path) -> None:
    tg.save(tmp_path / "model", np.zeros(3))
    loaded = tg.load(tmp_path / "model")
    loaded += 1
    assert loaded.tolist() == [1, 1, 1]


MODEL = {"W": np.zeros((2, 3)), "b": np.zeros(3)}


@pytest.mark.parametrize(
    ("like", "message"),
    [
        ({"W": np.zeros((2, 3))}, "also has b; expected the leaves W"),
        ({**MODEL, "c": 0.0, "d": 0.0}, "lacks c and 1 more; expected the leaves W, b, c, d"),
        ({**MODEL, "b": [np.zeros(3)]}, "lacks b[0]; expected the leaves W, b[0]"),
        ({**MODEL, "b": None}, "also has b; expected the leaves W"),
        (
            {**MODEL, "W": np.zeros((3, 2))},
            "is float64 of shape (2, 3); expected float64 of shape (3, 2)",
        ),
        (
            {**MODEL, "b": np.zeros(3, np.float32)},
            "float64 of shape (3,); expected float32 of shape (3,)",
        ),
        ({**MODEL, "b": "x"}, "is float64 of shape (3,); expected str 'x'"),
    ],
)
def test_another_structure_is_refused_and_the_leaf_named(tmp_path: Path, like: Any, message: str) -> None:
    tg.save(tmp_path / "model", MODEL)
    with pytest.raises(ValueError, match="load: ") as error:
        tg.load(tmp_path / "model", like)
    assert str(error.value).endswith(message)


def test_a_layer_is_loaded_into_one_with_the_same_static_fields(tmp_path: Path) -> None:
    x = np.ones((2, 1, 8, 8))
    layers = [
        nn.Sequential(nn.Conv2d(1, 4, 3, stride=stride, padding=1), nn.relu).init(np.random.default_rng(0), x)
        for stride in (1, 1, 2)
    ]
    tg.save(tmp_path / "model", layers[0])
    assert tg.load(tmp_path / "model", layers[1])(x).tobytes() == layers[0](x).tobytes()
    with pytest.raises(ValueError, match=r"load: \S+\.stride in \S+ is \S*1\S*; expected \S*2\S*"):
        tg.load(tmp_path / "model", layers[2])


@pytest.mark.parametrize("number", [True, 3, 2.5, math.inf, 1j])
def test_a_number_of_python_and_one_of_numpy_take_each_others_place(number: Any) -> None:
    for saved, like in ((number, np.asarray(number)), (np.asarray(number)[()], number)):
        assert same(saving.loads(saving.dumped(saved), "file").like(like), saved)


@pytest.mark.parametrize(
    "leaf", [np.array([None]), np.zeros(2, "f8,i4"), {1, 2}, len, np.zeros(2, np.longdouble), b"bytes", {(1, 2): 3.0}]
)
def test_a_leaf_that_cannot_be_saved_is_refused(leaf: Any) -> None:
    if getattr(leaf, "dtype", None) == np.float64:
        pytest.skip("longdouble is float64 here")
    with pytest.raises(TypeError, match=r"save: (layers\[0\] |a dict has the key \(1, 2\))"):
        saving.dumped({"layers": [leaf]})


def test_a_file_that_is_not_written_leaves_the_one_before(tmp_path: Path) -> None:
    tg.save(tmp_path / "model", 1.0)
    with pytest.raises(TypeError):
        tg.save(tmp_path / "model", object())
    assert tg.load(tmp_path / "model") == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_metadata_are_json(tmp_path: Path) -> None:
    tg.save(tmp_path / "model", {"W": np.ones(2), "steps": 3})
    with safetensors.safe_open(tmp_path / "model", "numpy") as opened:
        about = json.loads(opened.metadata()["tinygrad_cnn"])
    assert about["tree"] == [["dict", ["W", "steps"]], ["array", "W", "<f8", [2], False], ["int", "0x3"]]
