"""How a notebook shows a Tensor: what it holds, as a small picture, and how it came about."""

from __future__ import annotations

import base64
import html
from typing import Any

from tinygrad_cnn.engine.graph import source_line
from tinygrad_cnn.pictures.read.names import names_of
from tinygrad_cnn.pictures.read.values import describe
from tinygrad_cnn.pictures.view import labels as words


def card(tensor: Any) -> str:
    """A Tensor as HTML. Its graph is not drawn, for that takes time where it is large: `render` draws it."""
    node = tensor.node
    value = describe(node.value, flows=node.primitive is not None)
    name = names_of([node]).get(node) or "Tensor"
    said = [f"{node.like.dtype}[{', '.join(map(str, node.like.shape))}]", value.number or value.range]
    if node.primitive is not None:
        said.append(f"by {node.primitive.__name__}, {words.clean(source_line(node), None).rsplit('/', 1)[-1]}")
    parts = [f"<b>{html.escape(words.clean(name))}</b>  {html.escape('   '.join(part for part in said if part))}"]
    parts += [f'<b style="color:#b00020">{html.escape(wrong)}</b>' for wrong in value.wrong]
    if value.picture is not None:
        data = base64.b64encode(value.picture.png).decode()
        width, height = 2 * value.picture.width, 2 * value.picture.height
        parts.append(
            f'<img src="data:image/png;base64,{data}" width="{width}" height="{height}" alt="{value.picture.says}">'
        )
    return f'<div style="line-height:1.6">{"<br>".join(parts)}</div>'
