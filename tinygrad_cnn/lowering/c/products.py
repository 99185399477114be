"""Small matrix products in C. Large ones are NumPy's, whose BLAS is faster from some size on."""

from __future__ import annotations

from tinygrad_cnn.lowering.c.functions import ctype
from tinygrad_cnn.lowering.c.kernels import Kernel, Writing, is_real
from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction

SMALL = 1 << 15  # multiplications, from which on BLAS is called


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
    name = f"product_of_{ctype(x)}"
    f.helper(f"product {ctype(x)}")
    left, right = [f"{f.read(y.root)}{f' + {start}' if (start := f.start(y)) else ''}" for y in (a, b)]
    f.line(f"{name}({m}, {k}, {n}, {left}, {rows}, {terms}, {right}, {steps}, {columns}, {f.write(x)});")


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
