"""Pictures of the computation graph, forward and backward: `render` draws one, `graph` prints one as text, and `live`
makes a page in which it runs.

`read` makes a diagram of a graph, `view` is that diagram, plain data, and `write` has a writer for each format. They
are imported when a picture is drawn, and with them what they need, such as Graphviz.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.pictures.view.diagram import Mark

if TYPE_CHECKING:
    from tinygrad_cnn.pictures.live_page import LivePage
    from tinygrad_cnn.pictures.read.influence import Influence
    from tinygrad_cnn.pictures.view.diagram import Diagram
    from tinygrad_cnn.pictures.write.film import FilmPicture
    from tinygrad_cnn.pictures.write.picture import Graph, Picture

__all__ = ["Graph", "Mark", "graph", "influence", "live", "render"]


def render(
    result: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    backward: bool = False,
    values: str | None = None,
    depth: int | str = "layers",
    collapse: str | Iterable[str] = (),
    inputs: Any = (),
    measure: bool = False,
    against: Any = None,
    marks: Mapping[Node, Mark] | None = None,
    fold: bool | None = None,
    frames: Any = None,
    pixel: tuple[Any, Any] | None = None,
    theme: str = "auto",
    format: str | None = None,
    classes: Sequence[str] | None = None,
    example: Any = None,
    data: tuple[Any, Any] | None = None,
) -> Picture:
    """Draw the graph of `result`, a Tensor or a tree of Tensors; write it to `path`, if one is given.

    backward  with the gradient: beside each value its cotangent, the derivative of the result with respect to it (of
              their sum, if there are several results or elements), and how the rules compute it
    values    "thumbnails": each value as a small picture, with its range and with what is wrong with it (NaN, Inf, all
              zero, exploding)
    depth     how far the graph is opened. "layers": a poster, with a card for each step, or for each layer of a
              network; it shows the parameters of that, and with `backward=True` the cotangent and the gradients
              beside them. A number n: a box for each scope that is n deep; 1 is the outermost. "all": every step;
              "rules": with what each rule computes
    collapse  names of scopes, or paths such as "fc/linear", that are drawn as one box each, however deep
    inputs    leaves (or their names) that are data: they look different, and no gradient is computed for them
    measure   run every step and rule again, and colour them by their time; with operations and bytes
    against   another result, such as that of the model before training: what is in only one of them is coloured, and
              values are shown side by side
    marks     what to show at single nodes; see `Mark`
    fold      draw what repeats, such as the iterations of a loop, once. The default is to fold from 150 nodes on
    frames    a film: what the picture shows at several moments, such as epochs, one after the other. A dict from epochs
              to parameters, or a list of these; `result` is then the function that computes the result from them. Or
              results of one graph, that were recorded already
    pixel     an element that is followed: the value that it is of, as a Tensor or its name, and its index. Thumbnails
              have a yellow outline around the elements that it was computed from, and a green one around those that it
              influences; the larger the derivative, the more they are filled. Among cotangents, the green ones reached
              that of the element, which went on to the yellow ones. See `influence`
    theme     "light", "dark", or "auto": light, but dark in an SVG or page whose reader prefers that
    format    "svg", "png", "pdf", "html" (a page to step through), "dot", "mermaid", "txt" or "json"; the default is
              the ending of `path`. A film is "svg", "gif" or "png" (APNG)
    classes, example, data  `result` is a model, and the picture a live page, on which it runs: see `live`, which takes
              more

    Returns a picture, which a notebook shows, and which has .svg, .dot, .png, .pdf, .notes and .save(path). The graph
    is unchanged, and the picture does not keep it alive. Raises TypeError if `result` is no Tensor, ValueError for
    invalid options, OSError if `path` cannot be written, and RuntimeError if no Graphviz is found.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> W, x = tg.Tensor([[1.0, 2.0]], "W"), np.array([3.0, 4.0])
    >>> loss = np.sum(np.tanh(W @ x))
    >>> picture = tg.render(loss, backward=True)
    >>> "∂L/∂W" in picture.dot
    True
    """
    from tinygrad_cnn.pictures.view.closed_groups import groups_to_close, with_closed
    from tinygrad_cnn.pictures.write.formats import format_of
    from tinygrad_cnn.pictures.write.picture import Picture

    if theme not in ("light", "dark", "auto"):
        raise ValueError(f"render: theme is {theme!r}; expected 'light', 'dark' or 'auto'")
    if classes is not None:
        for name, given in (("frames", frames), ("against", against), ("marks", marks), ("pixel", pixel)):
            if given is not None:
                raise ValueError(f"render: {name} cannot be combined with classes. Leave one of them out")
        of_model = live(result, example, classes=classes, data=data, theme=theme)
        if path is not None:
            of_model.save(path, format)
        return of_model
    if frames is not None:
        return _film(
            result, path, format, frames, theme, depth, collapse,
            {"measure": measure, "against": against, "marks": marks, "pixel": pixel},
            backward=backward, inputs=inputs, fold=fold,
        )  # fmt: skip
    if pixel is not None and against is not None:
        raise ValueError("render: pixel cannot be combined with against. Leave one of them out")
    chosen = format_of(path, format)
    diagram = _diagram(
        result, values, against, marks, explained=chosen == "html", layers=depth == "layers",
        rules=chosen == "html" or depth == "rules",
        cut=against is None and (chosen == "html" or depth not in ("all", "rules")),
        backward=backward, inputs=inputs, measure=measure, fold=fold, pixel=pixel,
    )  # fmt: skip
    closed = groups_to_close(diagram, depth, collapse)
    page = (diagram, closed, depth == "layers") if chosen == "html" else None
    drawn = with_closed(diagram, closed, is_poster=depth == "layers")
    picture = Picture(drawn, theme, page)  # type: ignore[arg-type]  # checked above
    if path is not None:
        picture.save(path, chosen)
    return picture


def live(
    model: Any,
    example: Any = None,
    path: str | os.PathLike[str] | None = None,
    *,
    classes: Sequence[str],
    parameters: Any = None,
    data: tuple[Any, Any] | None = None,
    test: tuple[Any, Any] | None = None,
    loss: Callable[..., Any] | None = None,
    probability: Callable[[Any], Any] | None = None,
    knobs: Mapping[str, tuple[float, float, float]] | None = None,
    optimiser: Any = None,
    epochs: int = 300,
    starts: Mapping[int, Any] | None = None,
    ink: tuple[float, float] | None = None,
    centred: float | None = None,
    title: str | None = None,
    language: str = "en",
    theme: str = "auto",
) -> LivePage:
    """A page on which `model` runs, written to `path`, if one is given: one file, which loads nothing.

    There one draws, by mouse, finger or keyboard, and at each stroke the model's own graph runs in the browser: each
    card shows what flows in it. Then the backward pass flows back through the same cards, to the pixels, and the model
    trains on the drawings of `data` and on one's own. Its programs are those of `tg.program`, as JavaScript.

    model        a layer of `tg.nn`, with its parameters; or a function of parameters and images, and `parameters`. It
                 gives a score for each class, or one for two classes: images (batch, height, width), with an axis of
                 one channel, or flat
    example      an image, (1, ...): its shape and dtype are those of what is drawn. By default the first of `data`
    classes      what the classes are called
    data, test   images and their classes, as numbers from 0 on, to train on and to test with
    loss         a function of scores and classes, and of `knobs` by name. By default the cross-entropy on logits. If it
                 gives two numbers, the first is trained and the second is reported beside it
    probability  of scores, that of the second class or of each; by default sigmoid or softmax
    knobs        numbers that the loss takes, as (value, least, most): the page has a slider for each
    optimiser    by default `tg.Adam(0.01)`; its learning rate has a slider
    epochs       that a training has
    starts       parameters to begin with, by seed: the page has a slider for the seeds
    ink          the numbers of paper and of the darkest stroke; by default the least and the largest of the images
    centred      for a model of drawings that were cut out, scaled and put in the middle: the share of the image that
                 their longer side fills. What is drawn is seen so
    title        of the page; by default the classes
    language     "en" or "ko"; the page can be switched
    theme        "light", "dark", or "auto", as its reader prefers

    Returns the page, which a notebook shows, and which has .html and .save(path). Raises TypeError and ValueError for
    what it cannot run, NotImplementedError for an operation that JavaScript lacks, and OSError if `path` cannot be
    written.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> rng = np.random.default_rng(0)
    >>> model = tg.nn.Sequential(tg.nn.Flatten(), tg.nn.Linear(None, 3)).init(rng, np.zeros((1, 8, 8)))
    >>> tg.live(model, np.zeros((1, 8, 8)), classes=["circle", "square", "triangle"], ink=(0, 1))
    <LivePage of circle, square, triangle>
    """
    from tinygrad_cnn.pictures.live_page import LivePage
    from tinygrad_cnn.pictures.live_page.model import LiveModel

    if theme not in ("light", "dark", "auto"):
        raise ValueError(f"live: theme is {theme!r}; expected 'light', 'dark' or 'auto'")
    described = LiveModel(
        model, example, classes=classes, parameters=parameters, data=data, test=test, loss=loss,
        probability=probability, knobs=knobs, optimiser=optimiser, starts=starts, ink=ink, centred=centred,
    )  # fmt: skip
    page = LivePage(described, title, language, theme, epochs)  # type: ignore[arg-type]  # checked above
    if path is not None:
        page.save(path)
    return page


def graph(
    result: Any,
    *,
    backward: bool = False,
    values: str | None = None,
    depth: int | str = "all",
    collapse: str | Iterable[str] = (),
    inputs: Any = (),
    measure: bool = False,
    against: Any = None,
    marks: Mapping[Node, Mark] | None = None,
    fold: bool | None = None,
) -> Graph:
    """The graph of `result` as text: `print` shows a table in the order of execution; it also has .dot(), .mermaid()
    and .json(). The arguments are those of `render`, but that every step is shown if no `depth` is given.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = tg.Tensor(2.0, "x")
    >>> print(tg.graph(x * x).mermaid().splitlines()[1])
    n0[["x"]]:::parameter
    """
    from tinygrad_cnn.pictures.view.closed_groups import groups_to_close, with_closed
    from tinygrad_cnn.pictures.write.picture import Graph

    diagram = _diagram(
        result, values, against, marks, layers=depth == "layers", rules=depth == "rules",
        cut=against is None and depth not in ("all", "rules"),
        backward=backward, inputs=inputs, measure=measure, fold=fold,
    )  # fmt: skip
    return Graph(with_closed(diagram, groups_to_close(diagram, depth, collapse), is_poster=depth == "layers"))


def influence(result: Any, value: Any, index: int | tuple[int, ...] = ()) -> Influence:
    """Which elements an element of a value was computed from, and which of the values after it it influenced.

    result  a Tensor, or a tree of them: the values are those that it was computed from, and itself
    value   the value that the element is of: a Tensor, a name such as "pool", or "%3" as in `print(tg.graph(result))`
    index   of the element

    Returns an object that prints as a table, and has for each value an array of its shape: `found["x"]`, or `found[x]`
    for a Tensor x. Of a value before the element, that is the derivative of the element by each of its elements; of a
    value after it, the derivative of each of its elements by the element. It is masked where there is no dependence;
    so a 0 is a dependence without an effect at the present values, as on the dead side of a relu, or on what is not the
    largest in a maximum. `found.before` and `found.after` have these arrays by name, and `found.cut` says which steps
    were too large to be followed. Raises ValueError for a value that is not in the graph, and IndexError for an index
    outside it.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> x = tg.Tensor([[1.0, 2.0], [3.0, 4.0]], "x")
    >>> largest = np.max(x, axis=1)
    >>> found = tg.influence(np.sum(largest**2), largest, 1)
    >>> print(found["x"])
    [[-- --]
     [0.0 1.0]]
    >>> found.after["%2"]
    masked_array(data=[--, 8.0],
                 mask=[ True, False],
           fill_value=1e+20)
    """
    from tinygrad_cnn.pictures.read.influence import influence_of

    return influence_of(result, value, index)


def _film(
    result: Any, path: str | os.PathLike[str] | None, format: str | None, frames: Any, theme: str, depth: int | str,
    collapse: str | Iterable[str], others: Mapping[str, Any], **options: Any,
) -> FilmPicture:  # fmt: skip
    """The film of the frames, written to `path`, if one is given."""
    from tinygrad_cnn.pictures.read.frames import chosen, recorded
    from tinygrad_cnn.pictures.view.closed_groups import groups_to_close, with_closed
    from tinygrad_cnn.pictures.view.film import film_of
    from tinygrad_cnn.pictures.view.thumbnails import kept
    from tinygrad_cnn.pictures.write.film import FilmPicture
    from tinygrad_cnn.pictures.write.formats import FILM_FORMATS, format_of

    for name, given in others.items():
        if given:
            raise ValueError(f"render: {name} cannot be combined with frames. Leave one of them out")
    to = format_of(path, format, FILM_FORMATS)
    several, total = chosen(frames)
    drawn = []
    token = kept.set(True)
    try:
        for frame in recorded(result, several):
            diagram = _diagram(
                frame.result, "thumbnails", None, None, layers=depth == "layers", measure=False, **options
            )
            closed = groups_to_close(diagram, depth, collapse)
            drawn.append((frame.label, with_closed(diagram, closed, is_poster=depth == "layers")))
    finally:
        kept.reset(token)
    film = FilmPicture(film_of(drawn, total), theme)  # type: ignore[arg-type]  # checked by `render`
    if path is not None:
        film.save(path, to)
    return film


def _diagram(
    result: Any, values: str | None, against: Any, marks: Mapping[Node, Mark] | None, *,
    explained: bool = False, **options: Any,
) -> Diagram:  # fmt: skip
    """The diagram of `result`, or of how it differs from that of `against`, of which nothing is cut into parts."""
    from tinygrad_cnn.pictures.read.build import diagram_of
    from tinygrad_cnn.pictures.view.difference import compare

    if values not in (None, "thumbnails"):
        raise ValueError(f"render: values is {values!r}; expected 'thumbnails' or None")
    pixel = options.pop("pixel", None)
    options |= {"values": values is not None or explained or pixel is not None, "explained": explained}
    diagram = diagram_of(result, marks=marks, pixel=pixel, **options)
    return diagram if against is None else compare(diagram, diagram_of(against, **options))


def _in_notebook(tensor: Tensor) -> str:
    from tinygrad_cnn.pictures.read.build import box_of
    from tinygrad_cnn.pictures.write.text import to_card

    return to_card(box_of(tensor.node))


Tensor._repr_html_ = _in_notebook  # the layers below know nothing of pictures


if not TYPE_CHECKING:  # a type checker finds it by the import above

    def __getattr__(name: str) -> Any:
        if name == "Graph":
            from tinygrad_cnn.pictures.write.picture import Graph

            return Graph
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
