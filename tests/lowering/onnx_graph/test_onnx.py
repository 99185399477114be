"""Programs as graphs of ONNX: dtypes, indexing, names, the batch, what is refused; and the models of the package."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lowering.onnx_graph.in_onnxruntime import agrees, needs_onnxruntime, run, session, written

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.circle_square import data, model
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, published_start, train_as_published
from tinygrad_cnn.lowering.interpreter import interpret
from tinygrad_cnn.lowering.onnx_graph import prepared
from tinygrad_cnn.lowering.onnx_graph.operators import FLOATS, OPSET, SINGLE, UFUNCS, code
from tinygrad_cnn.lowering.onnx_graph.refusal import NotInOnnxError
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.trace import leaves_of, traced
from tinygrad_cnn.recipes import cnn

needs_onnxruntime()
onnx = pytest.importorskip("onnx")
rng = np.random.default_rng(0)


def floats(*shape: int, dtype=np.float64):
    return rng.normal(size=shape).astype(dtype)


# Dtypes and indices.

X, K = floats(4, 5), np.array([2, -1, 0])
INTEGERS = np.array([[7, -7, 3], [-8, 5, 0]])
DIVISORS = np.array([2, -3, 0])


def assigned(x, index, value):
    changed = np.copy(x)
    changed[index] = value
    return changed


def added(x, index, value):
    changed = np.copy(x)
    np.add.at(changed, index, value)
    return changed


SMALL = {
    "integers": (
        lambda a, b: (a + b, a * b, a - b, -a, abs(a), a**2, a < b, a == b, np.maximum(a, b)),
        [INTEGERS, DIVISORS],
    ),
    "division of integers": (
        lambda a, b: (a // b, a % b, np.fmod(a, b), a / np.where(b == 0, 1, b)),
        [INTEGERS, DIVISORS],
    ),
    "bits": (lambda a, b: (a & b, a | b, a ^ b, ~a, a << 2, a >> 1), [INTEGERS, DIVISORS]),
    **{
        f"{dtype.__name__}": (
            lambda a, b: (a + b, a * b, np.maximum(a, b), a < b, np.sum(a), np.where(a < b, a, b)),
            [INTEGERS.astype(dtype), DIVISORS.astype(dtype)],
        )
        for dtype in (np.int8, np.int16, np.int32, np.uint8, np.uint16, np.uint32)
    },
    "booleans": (
        lambda a, b: (a & b, a | b, a ^ b, ~a, a + b, np.any(a, axis=0), np.all(b), np.where(a, b, a), np.sum(a)),
        [INTEGERS > 0, DIVISORS > 0],
    ),
    "mixed dtypes": (
        lambda a, b, c: (a + b, b * c, a + 1.5, c * 2, np.sum(c, dtype=np.float32)),
        [floats(2, 3), floats(3, dtype=np.float32), INTEGERS],
    ),
    "numbers": (lambda x, a, n: x * a + n, [floats(3, dtype=np.float32), 1.5, 2]),
    "casts": (lambda a: (a.astype(np.float32), a.astype(np.int64), a.astype(bool), (a > 0).astype(np.int8)), [X * 3]),
    "sorting with NaN": (
        lambda a: (np.sort(a), np.argsort(a, kind="stable"), np.sort(a, axis=0)),
        [np.array([[3.0, np.nan, -np.inf, 1.0, 1.0], [np.inf, 2.0, np.nan, np.nan, np.inf]])],
    ),
    "slices": (
        lambda a: (a[1:3], a[::-1], a[:, 1:-1:2], a[-1], a[..., 2], a[1, 2], a[:, None, ::-2], a[3:0:-1, -2]),
        [X],
    ),
    "arrays as indices": (
        lambda a, k: (a[k], a[:, k], a[k, k], a[k[:, None], k], a[1, k], a[k, 1:3], a[None, :, k]),
        [X, K],
    ),
    "arrays that are apart": (lambda a, k: (a[k, :, k], a[:, k, k], a[k, 0, :], a[0, :, k]), [floats(3, 3, 3), K]),
    "constant masks": (lambda a: a[np.array([True, False, True, True])], [X]),
    "assignment": (
        lambda a, v: (
            assigned(a, 1, v),
            assigned(a, np.s_[:, 2], 0.0),
            assigned(a, np.s_[1:3, ::2], 9.0),
            assigned(a, ..., 1.0),
        ),
        [X, floats(5)],
    ),
    "assignment at arrays": (
        lambda a, k, v: (assigned(a, k, v), assigned(a, (k, k), 0.0), assigned(a, np.s_[k, 1:3], 5.0)),
        [X, K, floats(3, 5)],
    ),
    "assignment where": (lambda a, v: assigned(a, a > 0, 0.5) + assigned(a, v > 0, -1.0), [X, floats(4)]),
    "addition at places": (
        lambda a, k, v: (added(a, k, v), added(a, (k, k), 1.0)),
        [X, np.array([1, 1, -1]), floats(3, 5)],
    ),
    "statistics of order": (
        lambda a: (np.median(a), np.quantile(a, [0.1, 0.5], axis=1), np.percentile(a, 30, axis=0)),
        [X],
    ),
    "products": (
        lambda a, b, v: (
            a @ b,
            a @ v,
            v @ b,
            np.einsum("ij,jk->ki", a, b),
            np.einsum("...j,j", a, v),
            np.tensordot(a, b, 1),
        ),
        [X, floats(5, 3), floats(5)],
    ),
    "a vector times a transposed matrix": (lambda a, v: (a.T @ v, v @ a), [X, floats(4)]),
    "no elements": (
        lambda a: (a + 1, np.sum(a), np.sum(a, axis=0), a.reshape(3, 0), np.concatenate([a, a])),
        [np.zeros((0, 3))],
    ),
    "products of no elements": (
        lambda a, b: (a @ np.swapaxes(a, -1, -2), np.swapaxes(a, -1, -2) @ a, a @ b, b[:, 0] @ b),
        [np.zeros((3, 6, 0)), np.zeros((0, 2))],
    ),
    "an argument and a result twice": (lambda a: (a, a, 2 * a, 2 * a), [X]),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_graph_gives_what_the_interpreter_gives(name: str) -> None:
    function, arguments = SMALL[name]
    with np.errstate(all="ignore"):
        agrees(function, arguments, arguments)


@pytest.mark.parametrize("name", SMALL)
def test_what_is_written_is_a_listing_with_the_same_results(name: str) -> None:
    function, arguments = SMALL[name]
    with np.errstate(all="ignore"):
        listing = optimised(traced(function, tuple(arguments), {}))
        leaves = leaves_of(function, tuple(arguments), {}).leaves
        for a, b in zip(interpret(prepared(listing), leaves), interpret(listing, leaves), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, err_msg=name)


# What onnxruntime has kernels for.


@pytest.mark.parametrize("operation", UFUNCS)
def test_onnxruntime_runs_the_operators_in_the_dtypes_of_the_table(operation: str) -> None:
    operator, dtypes = UFUNCS[operation]
    unary = operator in ("Neg", "Abs", "Reciprocal", "Sign", "Relu", "Sigmoid", "Not", "BitwiseNot", "IsNaN", "IsInf",
                         "Exp", "Log", "Sqrt", "Floor", "Ceil", "Round", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan",
                         "Sinh", "Cosh", "Tanh", "Asinh", "Acosh", "Atanh")  # fmt: skip
    for name in sorted(dtypes):
        assert has_kernel(operator, np.dtype(name), 1 if unary else 2), (operator, name)


def has_kernel(operator: str, dtype, count: int) -> bool:
    helper = onnx.helper
    kind = helper.np_dtype_to_tensor_dtype(dtype)
    inputs = [helper.make_tensor_value_info(f"x{k}", kind, [2]) for k in range(count)]
    attributes = {"fmod": 1} if operator == "Mod" else {}
    node = helper.make_node(operator, [x.name for x in inputs], ["out"], **attributes)
    graph = helper.make_graph([node], "one", inputs, [helper.make_empty_tensor_value_info("out")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    try:
        session(made.SerializeToString())
    except Exception as error:
        if "NOT_IMPLEMENTED" in str(error):
            return False
        raise
    return True


def test_what_is_composed_in_double_precision_has_no_kernel_there() -> None:
    """Sigmoid has one, which is not exact for large negative numbers."""
    without = [o for name, (o, dtypes) in UFUNCS.items() if dtypes == SINGLE and name != "sigmoid"]
    assert [o for o in without if has_kernel(o, np.dtype(np.float64), 1)] == []
    assert {code(np.dtype(x)) for x in (np.float32, np.float64)} == FLOATS


# Names and documentation.


def loss(p, x, y):
    """The squared error of a layer."""
    h = np.tanh(x @ p["W"] + p["b"])
    return np.mean((h @ p["layers"][0] - y) ** 2)


P = {"W": floats(4, 6), "b": floats(6), "layers": [floats(6)]}
SAMPLE = (floats(7, 4), floats(7))


def test_a_graph_has_the_names_of_the_user_and_says_where_it_is_from(tmp_path: Path) -> None:
    tg.program(tg.value_and_grad(loss))(P, *SAMPLE).save(tmp_path / "step.onnx")
    made = onnx.load(tmp_path / "step.onnx")
    assert made.doc_string == made.graph.doc_string == "The squared error of a layer."
    assert [x.version for x in made.opset_import] == [OPSET]
    assert made.producer_name == "tinygrad_cnn"
    assert [x.name for x in made.graph.input] == ["p.W", "p.b", "p.layers[0]", "x", "y"]
    assert [x.name for x in made.graph.output] == ["loss", "dL_dW", "dL_db", "dL_dlayers_0"]
    nodes = {output: node for node in made.graph.node for output in node.output}
    assert nodes["h"].op_type == "Tanh"
    assert nodes["h"].doc_string.startswith("test_onnx.py:")
    assert nodes["dL_dW"].doc_string.startswith("the gradient")
    shapes = {x.name: [d.dim_value for d in x.type.tensor_type.shape.dim] for x in made.graph.value_info}
    assert shapes["h"] == [7, 6]


def test_what_is_drawn_is_an_input_that_says_so() -> None:
    def noisy(x, generator):
        return x + generator.normal(size=3)

    listing = optimised(traced(noisy, (np.ones(3), np.random.default_rng(0)), {}))
    made = onnx.load_from_string(written(listing))
    assert len(made.graph.input) == 2
    assert "to be drawn for each call: normal" in made.graph.input[1].doc_string
    (found,) = run(written(listing), [np.ones(3), np.full(3, 0.5)])
    np.testing.assert_array_equal(found, np.full(3, 1.5))


# A batch of any length.


def with_rows(p, x, y):
    """The loss of a classifier, which picks a score for each row."""
    z = x @ p["W"]
    return -np.mean(tg.nn.log_softmax(z)[np.arange(len(x)), y])


BATCHED = {
    "regression": (loss, P, lambda n: (floats(n, 4), floats(n))),
    "rows": (with_rows, {"W": floats(4, 3)}, lambda n: (floats(n, 4), rng.integers(0, 3, n))),
    "normalised": (
        lambda p, x, y: np.sum(((x - x.mean(axis=0)) / x.std(axis=0) * p["W"][:, 0] - y[:, None]) ** 2) / len(x),
        {"W": floats(4, 3)},
        lambda n: (floats(n, 4), floats(n)),
    ),
    "sliced": (
        lambda p, x, y: np.sum((x @ p["W"])[1:] ** 2) + np.sum(y[::-1] * x[:, 1] * p["W"][0, 0]),
        {"W": floats(4, 3)},
        lambda n: (floats(n, 4), floats(n)),
    ),
}


@pytest.mark.parametrize("name", BATCHED)
def test_a_graph_for_any_batch_gives_what_numpy_gives(name: str, tmp_path: Path) -> None:
    function, p, arguments = BATCHED[name]
    tg.program(tg.value_and_grad(function))(p, *arguments(5)).save(tmp_path / "step.onnx", batch="rows")
    content = (tmp_path / "step.onnx").read_bytes()
    made = onnx.load_from_string(content)
    assert [x.type.tensor_type.shape.dim[0].dim_param for x in made.graph.input][-2:] == ["rows", "rows"]
    for n in (5, 2, 11):
        x, y = arguments(n)
        found = run(content, [*tg.tree.flatten(p).leaves, x, y])
        value, gradient = tg.value_and_grad(function)(p, x, y)
        for a, b in zip(found, [value, *tg.tree.flatten(gradient).leaves], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


# What is refused.

REFUSED = {
    "complex": (lambda x: np.abs(np.fft.fft(x)), "fft cannot be written as ONNX: ONNX has no operators for complex128"),
    "linear algebra": (lambda x: np.linalg.inv(x[:, :4]), "inv cannot be written as ONNX"),
    "bits": (lambda x: np.nextafter(x, 0), "nextafter cannot be written as ONNX: it has no operator"),
    "half": (lambda x: x.astype(np.float16), "astype cannot be written as ONNX: .*float16"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_onnx_lacks_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    function, message = REFUSED[name]
    with pytest.raises(NotInOnnxError, match=rf"^program: {message}.*test_onnx\.py:\d+.*$") as refusal:
        tg.program(lambda x: function(x))(X).save(tmp_path / "step.onnx")
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (lambda x: x * np.arange(1.0, len(x) + 1)[:, None], (floats(5, 3),), "depends on the size of the batch"),
        (
            lambda x: x.reshape(-1, 2),
            (floats(6, 3),),
            "takes no batch of another length than 6: for one of 7 it raises ValueError",
        ),
        (lambda x: sum(x[k] for k in range(len(x))), (floats(5, 3),), "does something else|does more|depends on"),
        (tg.grad(lambda x: np.sum(np.diff(x, axis=0) ** 2)), (floats(5, 3),), "assigns to a part of the batch"),
        (lambda x: x + 1, (floats(3),), "cannot tell which length is the batch's"),
        (lambda x: x + 1, (floats(3, 3),), "cannot tell which length is the batch's"),
        (lambda x, g: x + g.random(3), (floats(5, 3), np.random.default_rng(0)), "draws random numbers"),
    ],
)
def test_a_graph_for_any_batch_is_refused_where_it_would_be_wrong(function, arguments, message, tmp_path: Path) -> None:
    with pytest.raises(NotInOnnxError, match=message):
        tg.program(function)(*arguments).save(tmp_path / "step.onnx", batch="n")
    assert not list(tmp_path.iterdir())


def test_batch_is_for_graphs_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="batch='n' is for ONNX"):
        tg.program(loss)(P, *SAMPLE).save(tmp_path / "step.py", batch="n")


def test_importing_the_package_does_not_import_onnx() -> None:
    code = "import sys, tinygrad_cnn, tinygrad_cnn.lowering.programs; assert 'onnx' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# The models of the package.


def article(p, x, y):
    """The article's loss for its gradient, and the one that it prints."""
    sigma = model.forward(x, p, ties="all", at_zero=1.0).sigma
    return model.loss_shifted(sigma, y), model.loss_as_printed(sigma, y)


def test_onnxruntime_repeats_the_published_losses(tmp_path: Path) -> None:
    drawings = data.bundled(TASKS["circle-square"]).train
    x, y = data.Scaling()(drawings.grey), drawings.y
    p = published_start(np.random.RandomState(PUBLISHED_SEED))
    tg.program(tg.value_and_grad(article, has_aux=True))(p, x, y).save(tmp_path / "article.onnx", batch="batch")
    step = session((tmp_path / "article.onnx").read_bytes())
    names = ["p.Wc", "p.Bc", "p.Wf", "p.Bf"]
    values = dict(zip(names, [p.Wc, p.Bc, p.Wf, p.Bf], strict=True))
    epochs = list(train_as_published(x, y))
    assert len(epochs) == 501
    losses = []
    for epoch in epochs:
        given = values | {"x": x[epoch.order], "y": y[epoch.order]}
        _, printed, *gradients = step.run(None, given)
        losses.append(printed)
        values = {name: values[name] - 0.01 * g for name, g in zip(names, gradients, strict=True)}
    np.testing.assert_allclose(losses, [epoch.loss for epoch in epochs], rtol=1e-10)


@pytest.fixture(scope="module")
def network() -> nn.Sequential:
    return cnn.network(3)


def in_single(p):
    return tg.tree.map(lambda leaf: leaf.astype(np.float32), p)


def test_the_cnn_is_trained_in_single_precision(network, tmp_path: Path) -> None:
    p = in_single(network)
    x, y = rng.random((5, 1, 28, 28)).astype(np.float32), np.eye(3, dtype=np.float32)[[0, 1, 2, 1, 0]]
    tg.program(tg.value_and_grad(cnn.loss))(p, x, y).save(tmp_path / "cnn.onnx", batch="batch")
    content = (tmp_path / "cnn.onnx").read_bytes()
    operators = [node.op_type for node in onnx.load_from_string(content).graph.node]
    assert (operators.count("Conv"), operators.count("ConvTranspose"), operators.count("MaxPool")) == (6, 2, 2)
    step = session(content)
    names, flat = [x.name for x in step.get_inputs()], tg.tree.flatten(p)
    values, ours = flat.leaves, p
    for _ in range(5):
        found, *gradients = step.run(None, dict(zip(names, [*values, x, y], strict=True)))
        expected, gradient = tg.value_and_grad(cnn.loss)(ours, x, y)
        np.testing.assert_allclose(found, expected, rtol=2e-5)
        values = [v - np.float32(0.05) * g for v, g in zip(values, gradients, strict=True)]
        ours = tg.tree.map(lambda v, g: v - np.float32(0.05) * g, ours, gradient)


def test_a_recurrent_network_is_trained(tmp_path: Path) -> None:
    def rnn(p, xs, y):
        """The squared error of the last of the states."""
        h = np.zeros(5)
        for x in xs:
            h = np.tanh(p["Wx"] @ x + p["Wh"] @ h + p["b"])
        return np.sum((h - y) ** 2)

    p = {"Wx": floats(5, 3), "Wh": floats(5, 5), "b": floats(5)}
    agrees(tg.value_and_grad(rnn), [p, floats(6, 3), floats(5)], [p, floats(6, 3), floats(5)])


# Other runtimes.


def forwards(network) -> dict[str, tuple]:
    """The forward passes of the article's model and of the CNN, with images for them."""
    p = in_single(published_start(np.random.RandomState(PUBLISHED_SEED)))
    small = in_single(network)
    images = (rng.random((4, 28, 28)) * 3).astype(np.float32)
    return {
        "article": (lambda x: model.forward(x, p).sigma, images),
        "cnn": (lambda x: nn.softmax(small(x)), images[:, None]),
    }


@pytest.mark.parametrize("name", ["article", "cnn"])
def test_opencv_runs_the_forward_pass(name: str, network, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    function, images = forwards(network)[name]
    tg.program(function)(images).save(tmp_path / "forward.onnx")
    net = cv2.dnn.readNetFromONNX(str(tmp_path / "forward.onnx"))
    net.setInput(images, "x")
    np.testing.assert_allclose(net.forward(), function(images), rtol=2e-5, atol=2e-6)


WEB = """
import * as ort from 'onnxruntime-web';
import { readFileSync } from 'node:fs';
ort.env.wasm.numThreads = 1;
const [model, images] = process.argv.slice(2);
const { dims, data } = JSON.parse(readFileSync(images));
const session = await ort.InferenceSession.create(readFileSync(model), { executionProviders: ['wasm'] });
const found = await session.run({ x: new ort.Tensor('float32', Float32Array.from(data), dims) });
console.log(JSON.stringify(Array.from(Object.values(found)[0].data)));
"""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with onnxruntime-web, as npm installs it: 150 MB."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("web")
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), "onnxruntime-web"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("npm cannot install onnxruntime-web")
    (folder / "run.mjs").write_text(WEB)
    return folder


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["article", "cnn"])
def test_onnxruntime_web_runs_the_forward_pass_in_node(name: str, network, web: Path) -> None:
    function, images = forwards(network)[name]
    tg.program(function)(images).save(web / "forward.onnx", batch="batch")
    (web / "images.json").write_text(json.dumps({"dims": images.shape, "data": images.ravel().tolist()}))
    done = subprocess.run(
        ["node", "run.mjs", "forward.onnx", "images.json"], cwd=web, capture_output=True, text=True, check=True
    )
    expected = function(images)
    np.testing.assert_allclose(np.reshape(json.loads(done.stdout), expected.shape), expected, rtol=2e-5, atol=2e-6)
