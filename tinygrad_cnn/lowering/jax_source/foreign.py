"""The forward function of an opaque primitive, as it is written for NumPy, for JAX."""

from __future__ import annotations

import ast

from tinygrad_cnn.lowering.jax_source.names import LACKING


def for_jax(source: str) -> tuple[str, str | None]:
    """The source with `jnp` for `np`, and what in it cannot be done in JAX, if anything."""
    tree = ast.parse(source)
    missing: str | None = None
    for node in ast.walk(tree):
        missing = missing or _missing(node)
        if isinstance(node, ast.Name) and node.id == "np":
            node.id = "jnp"
    tree = ast.fix_missing_locations(_Factorials().visit(tree))
    return ast.unparse(tree) + "\n", missing


class _Factorials(ast.NodeTransformer):
    """Writes factorials in floating point: JAX takes no integer of more than 64 bits."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_factorial = ast.unparse(node.func) == "math.factorial"
        return ast.Call(ast.Name("float"), [node], []) if is_factorial else node


def _missing(node: ast.AST) -> str | None:
    """What JAX lacks in a node."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return f"an assignment to {ast.unparse(node)}"
    if isinstance(node, ast.keyword) and node.arg == "out":
        return "out="
    if not isinstance(node, ast.Attribute):
        return None
    name = ast.unparse(node)
    if name.startswith(("np.", "jnp.")) and name.split(".")[1] in LACKING | {
        "errstate",
        "fromiter",
        "nditer",
        "ndindex",
    }:
        return f"np.{name.split('.', 1)[1]}"
    if name.endswith(".at") and name.startswith(("np.", "jnp.")):
        return f"np.{name.split('.', 1)[1]}"
    return None
