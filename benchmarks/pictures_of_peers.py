"""What peers draw of a computation graph, tried one by one; prints the table of docs/pictures.md.

    pip install -e '.[bench]' torchviz torchview torchlens dezero micrograd
    python benchmarks/pictures_of_peers.py

The model is loss = sum(tanh(W @ x)^2), with W called "W". Each peer gives the richest text in DOT that it can, in
which the facts are looked for; and each is asked to make an SVG with no Graphviz on the PATH, to draw a chain of 5,000
steps, a loop of 200 iterations, a derivative of a derivative, and a name with quotes, angle brackets and a backslash.
A cell "no" means that it was tried and did not come out; "-" that the library has nothing of the kind to try. Peers
that are not installed are left out with a word.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pygraphviz

W = np.array([[0.3125, -2.0], [0.5, 3.0]])
X = np.array([2.0, 1.0])
HOSTILE = 'a "quoted" <b>name</b> with \\ in it'
os.environ["PATH"] = os.path.dirname(sys.executable)  # no Graphviz of the system's


class Ours:
    """tinygrad_cnn."""

    package = "tinygrad-cnn"

    def __init__(self) -> None:
        import tinygrad_cnn as tg

        self.tg = tg

    def loss(self, name: str = "W") -> Any:
        with self.tg.scope("layer"):
            h = np.tanh(self.tg.Tensor(W, name) @ X)
        return np.sum(h * h)

    def dot(self) -> str:
        return self.tg.render(self.loss(), backward=True, values="thumbnails").dot

    def svg(self, path: Path) -> None:
        self.tg.render(self.loss(), path, values="thumbnails")

    def hostile(self) -> str:
        return self.tg.render(self.loss(HOSTILE)).dot

    def chain(self, steps: int) -> str:
        h = self.tg.Tensor(1.0, "x")
        for _ in range(steps):
            h = h * 1.0001
        return self.tg.graph(h, fold=False).dot()

    def loop(self) -> str:
        h = self.tg.Tensor(1.0, "x")
        for _ in range(200):
            h = np.tanh(h)
        return self.tg.render(h).dot

    def second(self) -> str:
        return self.tg.render(self.tg.grad(np.tanh)(self.tg.Tensor(0.5, "x"))).dot

    def closed(self) -> str:
        return self.tg.render(self.loss(), depth=1).dot

    def text(self) -> str:
        return str(self.tg.graph(self.loss()))

    def page(self, path: Path) -> None:
        self.tg.render(self.loss(), path)


class TorchViz:
    """torchviz."""

    package = "torchviz"

    def __init__(self) -> None:
        import torch
        import torchviz

        self.torch, self.make_dot = torch, torchviz.make_dot

    def loss(self) -> tuple[Any, Any]:
        w = self.torch.tensor(W, requires_grad=True)
        h = self.torch.tanh(w @ self.torch.tensor(X))
        return w, (h * h).sum()

    def dot(self) -> str:
        w, loss = self.loss()
        return self.make_dot(loss, params={"W": w}, show_attrs=True, show_saved=True).source

    def svg(self, path: Path) -> None:
        self.make_dot(self.loss()[1]).render(outfile=path)

    def hostile(self) -> str:
        w, loss = self.loss()
        return self.make_dot(loss, params={HOSTILE: w}).source

    def chain(self, steps: int) -> str:
        h = self.torch.tensor(1.0, requires_grad=True)
        for _ in range(steps):
            h = h * 1.0001
        return self.make_dot(h).source

    def loop(self) -> str:
        h = self.torch.tensor(1.0, requires_grad=True)
        for _ in range(200):
            h = self.torch.tanh(h)
        return self.make_dot(h).source

    def second(self) -> str:
        x = self.torch.tensor(0.5, requires_grad=True)
        return self.make_dot(self.torch.autograd.grad(self.torch.tanh(x), x, create_graph=True)[0]).source


class TorchView:
    """torchview, which draws modules."""

    package = "torchview"

    def __init__(self) -> None:
        import torch
        from torchview import draw_graph

        self.torch, self.draw = torch, draw_graph

    def model(self, depth: int = 1) -> Any:
        torch = self.torch

        class Layer(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.W = torch.nn.Parameter(torch.tensor(W))

            def forward(self, x: Any) -> Any:
                return torch.tanh(self.W @ x)

        class Model(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = Layer()

            def forward(self, x: Any) -> Any:
                for _ in range(depth):
                    x = self.layer(x)
                return (x * x).sum()

        return Model()

    def graph(self, depth: int = 1, **options: Any) -> Any:
        data = self.torch.tensor(X)
        return self.draw(self.model(depth), input_data=data, device="cpu", expand_nested=True, **options).visual_graph

    def dot(self) -> str:
        return self.graph(hide_inner_tensors=False, hide_module_functions=False, collect_attributes=True).source

    def svg(self, path: Path) -> None:
        self.graph().render(outfile=path)

    def chain(self, steps: int) -> str:
        return self.graph(steps).source

    def loop(self) -> str:
        return self.graph(200, roll=True).source

    def closed(self) -> str:
        return self.graph(hide_module_functions=True).source


class TorchLens:
    """TorchLens, which draws modules and the graph of their gradient.

    It draws by calling `dot`. So that what it draws can be seen where there is no Graphviz, it finds a program of that
    name which lays out by pygraphviz; but not when it is asked for an SVG without a Graphviz of the system's.
    """

    package = "torchlens"

    def __init__(self) -> None:
        import torch
        import torchlens

        self.torch, self.lens = torch, torchlens
        self.folder = tempfile.mkdtemp()
        program = Path(self.folder, "dot")
        program.write_text(
            f"#!{sys.executable}\n"
            "import sys, pygraphviz\n"
            "options = dict(zip(sys.argv, sys.argv[1:]))\n"
            "format = next(a[2:] for a in sys.argv if a.startswith('-T'))\n"
            "text = sys.stdin.read() if sys.argv[-1].startswith('-') else open(sys.argv[-1]).read()\n"
            "drawn = pygraphviz.AGraph(string=text).draw(options.get('-o'), format=format, prog='dot')\n"
            "sys.stdout.buffer.write(drawn or b'')\n"
        )
        program.chmod(0o755)

    def trace(self, name: str = "W", depth: int = 1, **options: Any) -> Any:
        torch = self.torch

        class Layer(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.register_parameter(name, torch.nn.Parameter(torch.tensor(W)))

            def forward(self, x: Any) -> Any:
                h = torch.tanh(getattr(self, name) @ x)
                return h  # noqa: RET504  # a name to be found

        class Model(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = Layer()

            def forward(self, x: Any) -> Any:
                for _ in range(depth):
                    x = self.layer(x)
                return (x * x).sum()

        capture = self.lens.options.CaptureOptions(**options)
        return self.lens.trace(Model(), torch.tensor(X), capture=capture)

    def draw(self, trace: Any, how: str = "draw", **options: Any) -> str:
        path = os.environ["PATH"]
        os.environ["PATH"] = os.pathsep.join([self.folder, path])
        try:
            return getattr(trace, how)(
                vis_outpath=f"{self.folder}/graph", vis_save_only=True, vis_fileformat="svg", **options
            )
        finally:
            os.environ["PATH"] = path

    def dot(self) -> str:
        trace = self.trace(save_grads=True, save_code_context=True)
        trace.log_backward(trace.layer_list[-1].out)
        forward = self.draw(trace, code_panel=True, node_overlay="magnitude")
        return forward + self.draw(trace, "draw_combined")

    def svg(self, path: Path) -> None:
        self.trace().draw(vis_outpath=str(path.with_suffix("")), vis_save_only=True, vis_fileformat="svg")

    def hostile(self) -> str:
        return self.draw(self.trace(HOSTILE))

    def chain(self, steps: int) -> str:
        return self.draw(self.trace(depth=steps // 2))  # each is two steps

    def loop(self) -> str:
        return self.draw(self.trace(depth=200), vis_mode="rolled")

    def second(self) -> str:
        class Slope(self.torch.nn.Module):
            def forward(_, x: Any) -> Any:  # noqa: N805
                return self.torch.autograd.grad(self.torch.tanh(x), x, create_graph=True)[0]

        return self.draw(self.lens.trace(Slope(), self.torch.tensor(0.5, requires_grad=True)))

    def closed(self) -> str:
        return self.draw(self.trace(), vis_call_depth=1)

    def text(self) -> str:
        return str(self.trace().summary())

    def page(self, path: Path) -> None:
        self.lens.export.html(self.trace(), path)


class MyGrad:
    """MyGrad."""

    package = "mygrad"

    def __init__(self) -> None:
        import mygrad
        from mygrad.computational_graph import build_graph

        self.mg, self.build = mygrad, build_graph

    def loss(self) -> tuple[Any, dict[str, Any]]:
        names = {"W": self.mg.tensor(W)}
        names["h"] = h = self.mg.tanh(names["W"] @ X)
        return self.mg.sum(h * h), names  # in a script, names would be locals()

    def dot(self) -> str:
        loss, names = self.loss()
        return self.build(loss, names=names, dims=True, dtypes=True, sum_stats=True).source

    def svg(self, path: Path) -> None:
        self.build(self.loss()[0]).render(outfile=path)

    def hostile(self) -> str:
        loss, names = self.loss()
        return self.build(loss, names={HOSTILE: names["W"]}).source

    def chain(self, steps: int) -> str:
        h = self.mg.tensor(1.0)
        for _ in range(steps):
            h = h * 1.0001
        return self.build(h).source

    def loop(self) -> str:
        h = self.mg.tensor(1.0)
        for _ in range(200):
            h = self.mg.tanh(h)
        return self.build(h).source


class DeZero:
    """DeZero."""

    package = "dezero"

    def __init__(self) -> None:
        for name, kind in (("int", int), ("float", float), ("bool", bool)):
            if name not in np.__dict__:  # names that NumPy had when its last release was made
                setattr(np, name, kind)
        import dezero
        import dezero.functions
        from dezero.utils import get_dot_graph, plot_dot_graph

        self.dz, self.functions, self.get, self.plot = dezero, dezero.functions, get_dot_graph, plot_dot_graph

    def loss(self, name: str = "W") -> Any:
        w = self.dz.Variable(W, name=name)
        h = self.functions.tanh(self.functions.matmul(w, self.dz.Variable(X[:, None])))
        return self.functions.sum(h * h)

    def dot(self) -> str:
        return self.get(self.loss(), verbose=True)

    def svg(self, path: Path) -> None:
        with tempfile.TemporaryDirectory() as home:
            os.environ["HOME"] = home
            self.plot(self.loss(), to_file=str(path))

    def hostile(self) -> str:
        return self.get(self.loss(HOSTILE))

    def chain(self, steps: int) -> str:
        h = self.dz.Variable(np.array(1.0))
        for _ in range(steps):
            h = h * 1.0001
        return self.get(h)

    def loop(self) -> str:
        h = self.dz.Variable(np.array(1.0))
        for _ in range(200):
            h = self.functions.tanh(h)
        return self.get(h)

    def second(self) -> str:
        x = self.dz.Variable(np.array(0.5), name="x")
        self.functions.tanh(x).backward(create_graph=True)
        return self.get(x.grad)


class Micrograd:
    """micrograd; its package draws nothing: the drawing is in a notebook of its repository."""

    package = "micrograd"

    def __init__(self) -> None:
        import micrograd.engine  # noqa: F401


def attempt(peer: Any, what: str, fact: Callable[[Any], bool], *arguments: Any) -> str:
    """Whether a fact holds of what a peer gives; the error if there is one; - if there is nothing to try."""
    if not hasattr(peer, what):
        return "-"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return "yes" if fact(getattr(peer, what)(*arguments)) else "no"
    except Exception as error:
        return f"no: {type(error).__name__}"


def written(peer: Any, what: str, begins: str) -> str:
    """Whether a file comes out that begins so."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("graph.svg" if what == "svg" else "graph.html")
        return attempt(
            peer, what, lambda _: path.exists() and begins in path.read_text(errors="replace")[:400].lower(), path
        )


def shows_name(dot: str) -> bool:
    """Whether the hostile name is what Graphviz shows."""
    svg = pygraphviz.AGraph(string=dot).draw(format="svg", prog="dot").decode()
    texts = "".join(re.findall(r"<text[^>]*>(.*?)</text>", svg)).replace("&#160;", " ")
    for escape, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#45;", "-"), ("&amp;", "&")):
        texts = texts.replace(escape, character)
    return HOSTILE in texts


def nodes(dot: str) -> int:
    """How many nodes a text in DOT has."""
    return len(pygraphviz.AGraph(string=dot).nodes())


def facts(peer: Any) -> dict[str, str]:
    """The column of a peer."""
    return {
        "steps of the forward pass": attempt(peer, "dot", lambda d: bool(re.search(r"tanh(?!backward)", d, re.I))),
        "steps of the backward pass": attempt(
            peer, "dot", lambda d: bool(re.search(r"vjp of tanh|TanhBackward|tanh_back", d))
        ),
        "cotangents, with their values": attempt(peer, "dot", lambda d: "∂" in d),
        "names of parameters": attempt(peer, "dot", lambda d: bool(re.search(r"(?<!\w)W(?!\w)", d))),
        "names of intermediate values, from the code": attempt(
            peer, "dot", lambda d: bool(re.search(r"[\">]h[<\"\n]", d))
        ),
        "shapes": attempt(peer, "dot", lambda d: bool(re.search(r"\(2,( 2)?\)|2×2", d))),
        "dtypes": attempt(peer, "dot", lambda d: "float64" in d),
        "values, or their range": attempt(peer, "dot", lambda d: bool(re.search(r"0\.31|Min: -2|−2 … 3", d))),
        "lines of source": attempt(peer, "dot", lambda d: bool(re.search(r"\.py:\d+", d))),
        "modules or scopes as frames": attempt(peer, "dot", lambda d: "subgraph" in d),
        "a module or scope as one box": attempt(peer, "closed", lambda d: "tanh" not in d.lower()),
        "the iterations of a loop drawn once": attempt(peer, "loop", lambda d: nodes(d) < 20),
        "derivatives of derivatives": attempt(peer, "second", lambda d: bool(re.search(r"mul|pow|square", d, re.I))),
        "SVG without a Graphviz of the system's": written(peer, "svg", "<svg"),
        "a chain of 5,000 steps": attempt(peer, "chain", lambda d: d.count("->") >= 5_000, 5_000),
        'a name with ", <, > and \\': attempt(peer, "hostile", shows_name),
        "a table as text": attempt(peer, "text", lambda text: "tanh" in text),
        "a page to look around in": written(peer, "page", "<!doctype html>"),
    }


def main() -> None:
    """Try all that are installed, and print the table."""
    columns: dict[str, dict[str, str]] = {}
    for kind in (Ours, TorchViz, TorchView, TorchLens, MyGrad, DeZero, Micrograd):
        try:
            version = importlib.metadata.version(kind.package)
            columns[f"{kind.package.replace('-', '_')} {version}"] = facts(kind())
        except ImportError as error:
            print(f"{kind.package} is left out: {error}", file=sys.stderr)
    print("| | " + " | ".join(columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for fact in next(iter(columns.values())):
        print(f"| {fact} | " + " | ".join(column[fact] for column in columns.values()) + " |")


if __name__ == "__main__":
    main()
