"""Views: handles on what NumPy has as a view, such as t[2:5] or t.T. A view and its base change with each other."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Handle, Node, recording
from tinygrad_cnn.engine.mutation.lending import check_not_lent
from tinygrad_cnn.engine.primitive import implementations, is_part
from tinygrad_cnn.indices import composed


class View:
    """What a handle on a view is a view of, and by what.

    base                 the handle that it is a view of, which may be one on a view itself
    root                 the handle at the end of that chain, the one that is on no view
    primitive, static_args  what takes it out of `base`
    seen                 the node of the root when this view was last computed: if the root has moved on since, it is
                         computed anew when somebody asks
    """

    __slots__ = ("base", "primitive", "root", "seen", "static_args", "taken")

    def __init__(self, base: Handle, node: Node) -> None:
        self.base = base
        self.root: Handle = base if base._view is None else base._view.root
        self.primitive, self.static_args = node.primitive, node.static_args
        self.taken = node
        self.seen = self.root.node

    @property
    def node(self) -> Node:
        """The node of what is seen through it now."""
        if self.root.node is not self.seen:
            self._take_again()
        return self.taken

    @property
    def is_stale(self) -> bool:
        """Whether the root has been assigned to since this view was last computed."""
        return self.root.node is not self.seen

    def _take_again(self) -> None:
        token = recording.set(recording.get() or True)
        try:
            for view in reversed(self.chain()):
                if view.is_stale:
                    take = implementations[operator.getitem] if view.picks else view.primitive
                    view.taken = take(view.base, **view.static_args).node
                    view.seen = view.root.node
        finally:
            recording.reset(token)

    @property
    def picks(self) -> bool:
        """Whether it is taken out of its base by an index."""
        return self.primitive.adding is not None

    def chain(self) -> list[View]:
        """The views from here to the root, this one first."""
        chain, view = [], self
        while view is not None:
            chain.append(view)
            base = view.base
            view = base._view
            shape = base.node.like.shape if view is None else view.taken.like.shape
            if shape != chain[-1].taken.operands[0].shape:  # t.shape = ... made a view of it
                raise NotImplementedError(
                    "this view was taken before the shape of its Tensor was assigned to. Take it again after that"
                )
        return chain

    def in_root(self, index: Any) -> tuple[Any, ...] | None:
        """The index of the root that is `index` of this view; None if there is no basic one.

        By it, what is read or written at a part of a view costs no more than that part.
        """
        chain = self.chain()
        if not all(view.picks for view in chain):
            return None
        return composed(self.root.node.like.shape, [*[view.static_args["index"] for view in reversed(chain)], index])

    def write(self, content: Any) -> None:
        """Move the root to what it becomes, when `content` is what is to be seen through this view."""
        chain = self.chain()
        for view in chain:
            content = _written_through(view, content)
        self.root.become(content)  # all views of the root look again


def follow(base: Handle, result: Handle) -> Handle:
    """`result`, whose memory is part of that of `base`, as a handle that follows it."""
    here, new = base.node, result.node
    if new.like is new.value:
        if here.like is not here.value:
            # It lies in memory otherwise than its value: whether NumPy has a view here, only `like` can tell.
            new.like = new.primitive.forward(here.like, **new.static_args)
            if not np.may_share_memory(new.like, here.like):
                return result
        elif new.primitive.view_or_copy and not is_part(new.value, here.value):
            return result
    handle: Handle = object.__new__(type(base))  # without a node of its own: see `Tensor.__getattr__`
    handle._view = View(base, new)
    return handle


def become(handle: Handle, node: Node) -> None:
    """Move a handle that is no view to `node`. An array that is written to stays as it lies in memory."""
    if handle.node.constant:
        check_not_lent(handle)
    here = handle.node.like
    if node.like.strides != here.strides:
        value = np.empty_like(here)
        if value.strides != node.value.strides:
            value[...] = node.value
            node.value = value
        node.like = here
    handle.node = node


def _written_through(view: View, content: Any) -> Any:
    """What the base of `view` becomes, when `content` is what is to be seen through the view."""
    base, setitem, name = view.base, implementations[operator.setitem], view.primitive.__name__
    if view.picks:
        return setitem(base, view.static_args["index"], content)
    shape, dtype = base.node.like.shape, base.node.like.dtype
    if dtype.kind == "c" != content.dtype.kind:  # the real or the imaginary part
        other = implementations[np.imag if name == "real" else np.real](base)
        return content + other * 1j if name == "real" else other + content * 1j
    places = view.primitive.forward(np.arange(base.node.like.size).reshape(shape), **view.static_args)
    if not places.flags.writeable:
        raise ValueError(f"np.{name}: the result is read-only, as in NumPy. Assign to a .copy() of it")
    reshape = implementations[np.reshape]
    return reshape(setitem(reshape(base, -1), places.reshape(-1), reshape(content, -1)), shape)
