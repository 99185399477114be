"""Small matrix products in C. Large ones are NumPy's, whose BLAS is faster from some size on."""

from __future__ import annotations

from tinygrad_cnn.lowering.c.convolutions import correlate
from tinygrad_cnn.lowering.c.functions import ctype, offset
from tinygrad_cnn.lowering.c.kernels import Kernel, Writing, is_real
from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction

NARROW = 4  # rows or columns, below which nothing is gained by tiles
SMALL = 1 << 18  # multiplications, from which on BLAS is called


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of a product of matrices or vectors, if it is small."""
    if x.operation != "matmul" or x.function is not None or x.parameters or not is_real(*x.operands):
        return None
    a, b = x.operands
    if x.result.dtype != a.result.dtype or any(len(y.result.shape) > 2 or y.result.size == 0 for y in (a, b)):
        return None
    m, k, n = _sizes(a, b)
    if m * k * n > SMALL:
        return None
    return Kernel("product", [a, b], lambda w: _write(w, x, m, k, n))


def _sizes(a: Instruction, b: Instruction) -> tuple[int, int, int]:
    """(m, k) times (k, n); of a vector, m or n is 1."""
    m = a.result.shape[0] if len(a.result.shape) == 2 else 1
    n = b.result.shape[1] if len(b.result.shape) == 2 else 1
    return m, a.result.shape[-1], n


def _write(w: Writing, x: Instruction, m: int, k: int, n: int) -> None:
    f, (a, b) = w.f, [w.places[y] for y in x.operands]
    rows, terms = a.strides if len(a.shape) == 2 else (0, a.strides[0])
    steps, columns = b.strides if len(b.shape) == 2 else (b.strides[0], 0)
    if n >= NARROW and m >= NARROW:
        _tiled(w, x, (m, k, n), (rows, terms), (steps, columns))
        return
    name = f"product_of_{ctype(x)}"
    f.helper(f"product {ctype(x)}")
    left, right = [f"{f.read(y.root)}{f' + {start}' if (start := f.start(y)) else ''}" for y in (a, b)]
    f.line(f"{name}({m}, {k}, {n}, {left}, {rows}, {terms}, {right}, {steps}, {columns}, {f.write(x)});")


def _tiled(
    w: Writing, x: Instruction, sizes: tuple[int, int, int], of_a: tuple[int, int], of_b: tuple[int, int]
) -> None:
    """In tiles: a convolution with windows of one element, of which the terms of the product are the channels.

    Rows of b that do not lie together, or are the end of an argument, are copied first; so is a transposed a.
    """
    f, type_, (m, k, n), (a, b) = w.f, ctype(x), sizes, [w.places[y] for y in x.operands]
    left, terms = f"{f.read(a.root)}{f' + {start}' if (start := f.start(a)) else ''}", of_a[0]
    if k > 1 and of_a[1] != 1:
        left, terms = _copied(w, "rows_of_a", a, (m, k), of_a), k
    if of_b[1] == 1 and not w.is_elsewhere(b.root):
        right, plane = f"{f.read(b.root)}{f' + {start}' if (start := f.start(b)) else ''}", of_b[0]
    else:
        right, plane = _copied(w, "rows_of_b", b, (k, n), of_b), n
    correlate(w, type_, m, k, (1, 1), (1, n), left, terms, right, plane, 0, f.write(x), n, 0)


def _copied(w: Writing, name: str, place: Place, shape: tuple[int, int], strides: tuple[int, int]) -> str:
    """A copy of a matrix in scratch memory, row by row."""
    f, type_ = w.f, ctype(place.root)
    copy = f.scratch(name, type_, shape[0] * shape[1] + w.vector)
    with f.loops(shape, "j") as j:
        f.line(f"{copy}[{offset(j, (shape[1], 1))}] = {f.read(place.root)}[{offset(j, strides, f.start(place))}];")
    return copy


def helper(type_: str) -> str:
    """The source of the helper function."""
    return _PRODUCT.replace("TYPE", type_)


_PRODUCT = """\
/* out (m, n) = a (m, k) @ b (k, n), with the strides of both. */
TILE void product_of_TYPE(long m, long k, long n, const TYPE *restrict a, long a_row, long a_column,
    const TYPE *restrict b, long b_row, long b_column, TYPE *restrict out)
{
    CONTRACT
    if (b_column == 1 || (b_row != 1 && a_column != 1)) {  /* row by row of b */
        for (long i = 0; i < m; i++) {
            for (long j = 0; j < n; j++) out[i * n + j] = 0;
            for (long l = 0; l < k; l++) {
                const TYPE x = a[i * a_row + l * a_column];
                for (long j = 0; j < n; j++) out[i * n + j] += x * b[l * b_row + j * b_column];
            }
        }
        return;
    }
    for (long i = 0; i < m; i++)  /* as scalar products, in several lanes */
        for (long j = 0; j < n; j++) {
            TYPE lanes[16] = {0}, sum = 0;
            long l = 0;
            for (; l + 16 <= k; l += 16)
                for (int lane = 0; lane < 16; lane++)
                    lanes[lane] += a[i * a_row + (l + lane) * a_column] * b[(l + lane) * b_row + j * b_column];
            for (; l < k; l++) sum += a[i * a_row + l * a_column] * b[l * b_row + j * b_column];
            for (int lane = 0; lane < 16; lane++) sum += lanes[lane];
            out[i * n + j] = sum;
        }
}

"""
