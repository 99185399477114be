"""A live page: draw on it, and the model's own graph runs forward, backward and in training, in the browser.

`model` says what is needed of a model, `places` makes the picture of its loss with places for what flows, `programs`
traces it and writes it as JavaScript, and `page.html` is the page, whose script is in `script/`. It is one file, which
loads nothing.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import zlib
from importlib import resources
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import ancestors
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.extras import extra
from tinygrad_cnn.pictures.live_page.model import Examples, LiveModel
from tinygrad_cnn.pictures.live_page.places import Alive, alive
from tinygrad_cnn.pictures.live_page.programs import Programs, programs_of
from tinygrad_cnn.pictures.live_page.words import LANGUAGES, WORDS
from tinygrad_cnn.pictures.read.build import diagram_of
from tinygrad_cnn.pictures.view.closed_groups import groups_to_close, with_closed
from tinygrad_cnn.pictures.view.pixels import diverging, grey
from tinygrad_cnn.pictures.write.colours import Theme, dark_rules, scoped
from tinygrad_cnn.pictures.write.picture import Picture

with extra("render", "a live page"):
    import jinja2

LARGEST = 2_000_000  # bytes of a page

# The page's own script, in the order in which it is written; `script/page.js` says what it offers to all.
SCRIPTS = (
    "page", "words", "theme", "ink", "pad", "network", "paint", "graph", "verdict", "drawings", "curves", "remarks",
    "training", "sharing", "start",
)  # fmt: skip

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("tinygrad_cnn.pictures", "live_page"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class LivePage(Picture):
    """A page on which a model runs. A notebook shows it; `save` writes it to a file.

    html  the page, in one file that loads nothing

    What else a picture can be is that of the loss of the example, forward and backward.
    """

    def __init__(self, model: LiveModel, title: str | None, language: str, theme: Theme, epochs: int) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"live: language is {language!r}; expected one of {', '.join(LANGUAGES)}")
        knobs = [knob.value for knob in model.knobs]
        self._loss, _, _ = model.recorded(model.flat.leaves, model.example, model.targets[:1], knobs)
        diagram = diagram_of(self._loss, backward=True, values=True, layers=True, rules=False, cut=True)
        super().__init__(with_closed(diagram, groups_to_close(diagram, "layers"), is_poster=True), theme)
        self.model, self.title, self.language, self.theme, self.epochs = model, title, language, theme, epochs

    def __repr__(self) -> str:
        return f"<LivePage of {', '.join(self.model.classes)}>"

    @functools.cached_property
    def html(self) -> str:
        """The page. Raises ValueError if it would be larger than 2 MB, as with parameters or drawings that are."""
        picture = _picture(self._loss)
        programs = programs_of(self.model, picture)
        text = written(self.model, picture, programs, self.title, self.language, self.theme, self.epochs)
        size = len(text.encode())
        if size > LARGEST:
            raise ValueError(
                f"live: the page would have {size:,} bytes; expected at most {LARGEST:,}. Pass fewer drawings in data, "
                "fewer starts, or a smaller model"
            )
        return text

    def _repr_html_(self) -> str | None:
        return f'<iframe srcdoc="{html.escape(self.html)}" style="width:100%;height:820px;border:0"></iframe>'


def _picture(loss: Tensor) -> Alive:
    """The picture of the loss of the example."""
    x = next((node for node in ancestors([loss.node])[0] if node.name == "x" and node.primitive is None), None)
    if x is None:
        raise ValueError("live: the loss does not depend on the image; expected a model that does")
    return alive(loss, x)


def written(
    model: LiveModel, picture: Alive, programs: Programs, title: str | None, language: str, theme: Theme, epochs: int
) -> str:
    """The page of a model, of its picture and its programs."""
    script = _script(programs.sources)
    return _templates.get_template("page.html").render(
        title=title or f"{' or '.join(model.classes).capitalize()}?",
        language=language,
        failed=WORDS[language]["failed"],
        theme=theme,
        css=_file("page.css"),
        dark=scoped(dark_rules(), "dark #graph"),
        svg=picture.svg,
        script=script,
        hash=_hash(script),  # only this script may run, whatever a name has in it
        data=_packed(_contents(model, picture, programs, title, language, epochs)),
    )


def _contents(
    model: LiveModel, picture: Alive, programs: Programs, title: str | None, language: str, epochs: int
) -> dict[str, Any]:
    """What the page's script reads; arrays are written in base64, in their own dtypes."""
    state = tree.flatten(model.first_state).leaves
    shades = np.linspace(0, 1, 256)
    return {
        "title": title,
        "words": WORDS,
        "language": language,
        "classes": model.classes,
        "height": model.height,
        "width": model.width,
        "centred": model.centred,
        "levels": _array(model.ink_levels),
        "targets": [_array(model.targets[i : i + 1]) for i in range(len(model.classes))],
        "parameters": [_array(leaf) for leaf in model.flat.leaves],
        "free": model.free,
        "state": [_array(leaf) for leaf in state],
        "starts": [[str(seed), [_array(x) for x in tree.flatten(p).leaves]] for seed, p in model.starts.items()],
        "knobs": [vars(knob) for knob in model.knobs],
        "rate": model.learning_rate,
        "epochs": epochs,
        "data": _examples(model.data),
        "test": _examples(model.test),
        "batch": programs.batch,
        "sums": model.is_sum,
        "activations": programs.activations,
        "places": [
            {"number": p.number, "card": p.card, "title": p.title, "backward": p.backward, "left": p.left, "top": p.top,
             "width": p.look.size[0], "tile": [p.look.width, p.look.height, p.look.across],
             "tiles": [list(vars(tile).values()) for tile in p.look.tiles]}
            for p in picture.places
        ],
        "size": [picture.width, picture.height],
        "cards": picture.cards,
        "flows": len(picture.sources),
        "diverging": diverging(shades)[:, :3].ravel().tolist(),
        "grey": grey(shades)[:, :3].ravel().tolist(),
    }  # fmt: skip


def _array(x: Any) -> dict[str, Any]:
    """An array or a number, as the script makes it a typed array again."""
    array = np.ascontiguousarray(x)
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)  # in which the programs take integers too
    kind = "Float32Array" if array.dtype == np.float32 else "Float64Array"
    if kind == "Float64Array":
        array = array.astype(np.float64)
    found = {"kind": kind, "bytes": base64.b64encode(array.tobytes()).decode()}
    return found if isinstance(x, np.ndarray) else found | {"number": True}


def _examples(examples: Examples | None) -> dict[str, Any] | None:
    if examples is None:
        return None
    return {"x": _array(examples.x), "y": _array(examples.y), "labels": examples.labels.tolist()}


def _packed(data: dict[str, Any]) -> str:
    """JSON, compressed, and in base64, in which nothing can end a script element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _script(programs: dict[str, str]) -> str:
    """All files of the script, and the programs, in one function, so that none of their names is a global variable."""
    return "\n".join(
        ['"use strict";', "(async () => {", "const programs = (() => {", *programs.values(),
         f"return {{ {', '.join(programs)} }};", "})();", *(_file(f"script/{name}.js") for name in SCRIPTS),
         "})().catch((error) => { delete document.documentElement.dataset.started; throw error; });"]
    )  # fmt: skip


@functools.cache
def _file(name: str) -> str:
    return resources.files("tinygrad_cnn.pictures.live_page").joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
