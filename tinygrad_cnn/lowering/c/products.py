"""Matrix products in C. Of the largest, and of large ones with a vector, NumPy and its BLAS are as fast."""

from __future__ import annotations

from tinygrad_cnn.lowering.c.convolutions import vectors_of
from tinygrad_cnn.lowering.c.functions import ctype, for_
from tinygrad_cnn.lowering.c.kernels import Kernel, Writing, is_real
from tinygrad_cnn.lowering.c.places import Place
from tinygrad_cnn.lowering.instructions import Instruction

NARROW = 4  # rows or columns, below which nothing is gained by tiles
NARROW_IS_SMALL = 1 << 18  # multiplications, from which on BLAS is called
SMALL = 1 << 28  # the same, of what is computed in tiles
DEPTH = 512


def kernel(x: Instruction, places: dict[Instruction, Place]) -> Kernel | None:
    """The kernel of a product of matrices or vectors, if it is small."""
    if x.operation != "matmul" or x.function is not None or x.parameters or not is_real(*x.operands):
        return None
    a, b = x.operands
    if x.result.dtype != a.result.dtype or any(len(y.result.shape) > 2 or y.result.size == 0 for y in (a, b)):
        return None
    m, k, n = _sizes(a, b)
    if m * k * n > (SMALL if _has_tiles(m, n) else NARROW_IS_SMALL):
        return None
    return Kernel("product", [a, b], lambda w: _write(w, x, m, k, n))


def _sizes(a: Instruction, b: Instruction) -> tuple[int, int, int]:
    """(m, k) times (k, n); of a vector, m or n is 1."""
    m = a.result.shape[0] if len(a.result.shape) == 2 else 1
    n = b.result.shape[1] if len(b.result.shape) == 2 else 1
    return m, a.result.shape[-1], n


def _has_tiles(m: int, n: int) -> bool:
    return n >= NARROW and m >= NARROW


def _write(w: Writing, x: Instruction, m: int, k: int, n: int) -> None:
    f, (a, b) = w.f, [w.places[y] for y in x.operands]
    rows, terms = a.strides if len(a.shape) == 2 else (0, a.strides[0])
    steps, columns = b.strides if len(b.shape) == 2 else (b.strides[0], 0)
    if _has_tiles(m, n):
        _tiled(w, x, (m, k, n), (rows, terms), (steps, columns))
        return
    name = f"product_of_{ctype(x)}"
    f.helper(f"product {ctype(x)}")
    left, right = [f"{f.read(y.root)}{f' + {start}' if (start := f.start(y)) else ''}" for y in (a, b)]
    f.line(f"{name}({m}, {k}, {n}, {left}, {rows}, {terms}, {right}, {steps}, {columns}, {f.write(x)});")


def _tiled(
    w: Writing, x: Instruction, sizes: tuple[int, int, int], of_a: tuple[int, int], of_b: tuple[int, int]
) -> None:
    """In tiles of a few rows and vectors, in registers.

    As many columns of b as a tile has are packed into a panel, which stays in the cache while all rows of a are
    multiplied with it. Of a long product, DEPTH terms are summed up at a time.
    """
    f, type_, (m, k, n), (a, b) = w.f, ctype(x), sizes, [w.places[y] for y in x.operands]
    lanes, vectors, _ = vectors_of(w, type_, n)
    across = min(vectors, 4 if w.vector == 64 else 2)
    rows, width = min(m, (16 if w.vector == 64 else 8) // across), across * lanes
    panels, blocks = -(-n // width), -(-m // rows)
    last = n - (panels - 1) * width  # columns of the last panel

    by_panels = panels >= min(blocks, 4)
    divided = f.divide(panels if by_panels else blocks, 0.35 * m * k * vectors)
    (panel, end_panel), (block, end_block) = (divided, (0, blocks)) if by_panels else ((0, panels), divided)
    f.helper(f"product_tile {type_} {lanes}")
    of = f"{type_}_x{lanes}"
    left, right = [f"{f.read(y.root)}{f' + {start}' if (start := f.start(y)) else ''}" for y in (a, b)]
    direct = panels == 1 and last == width and of_b[1] == 1  # b is a panel itself
    packed = f"{right} + i_k * {of_b[0]}, {of_b[0]}" if direct else f"panel, {width}"
    if not direct:
        f.scratch("panel", type_, min(k, DEPTH) * width, each=True)

    def tile(high: int, wide: int) -> str:
        many = -(-wide // lanes)
        return (
            f"product_tile_{of}({high}, {many}, {wide - (many - 1) * lanes}, terms, i_k > 0, "
            f"{left} + i_b * {rows * of_a[0]} + i_k * {of_a[1]}, {of_a[0]}, {of_a[1]}, {packed}, "
            f"{f.write(x)} + i_b * {rows * n} + i_p * {width}, {n});"
        )

    with f.block(for_("i_p", end_panel, panel)), f.block(for_("i_k", k, 0, DEPTH)):
        f.line(f"const long terms = {f'i_k + {DEPTH} < {k} ? {DEPTH} : {k} - i_k' if k > DEPTH else k};")
        if not direct:
            columns = str(width) if last == width else f"i_p < {panels - 1} ? {width} : {last}"
            corner = f"{right} + i_k * {of_b[0]} + i_p * {width * of_b[1]}"
            f.line(f"pack_{of}(terms, {columns}, {width}, {corner}, {of_b[0]}, {of_b[1]}, panel);")
        with f.block(for_("i_b", end_block, block)):
            for head, high in _cases("i_b", m, rows, blocks):
                with f.block(head):
                    for inner, wide in _cases("i_p", n, width, panels):
                        f.line(f"{inner} {tile(high, wide)}".strip())


def _cases(variable: str, size: int, block: int, count: int) -> list[tuple[str, int]]:
    """Of blocks, what is to be asked and how large they then are: all alike, or the last one smaller."""
    rest = size - (count - 1) * block
    if rest == block:
        return [("", block)]
    return [(f"if ({variable} < {count - 1})", block), ("else", rest)] if count > 1 else [("", rest)]


def helper(type_: str) -> str:
    """The source of the helper function."""
    return _PRODUCT.replace("TYPE", type_)


def tile_helper(type_: str, lanes: str) -> str:
    """The source of the helper functions of tiles."""
    return _TILE.replace("TYPE", type_).replace("LANES", lanes)


_TILE = """\
/* Packs `terms` rows of a part of a matrix, with zeros up to `width`. */
static void pack_TYPE_xLANES(long terms, long columns, long width, const TYPE *b, long b_row, long b_column,
    TYPE *restrict panel)
{
    if (b_column == 1) {
        for (long k = 0; k < terms; k++) {
            for (long j = 0; j < columns; j++) panel[k * width + j] = b[k * b_row + j];
            for (long j = columns; j < width; j++) panel[k * width + j] = 0;
        }
        return;
    }
    for (long j = 0; j < columns; j++)
        for (long k = 0; k < terms; k++) panel[k * width + j] = b[k * b_row + j * b_column];
    for (long k = 0; k < terms; k++)
        for (long j = columns; j < width; j++) panel[k * width + j] = 0;
}

/* `rows` x `vectors` elements of a product, in registers; of the last vectors `tail` lanes count. */
TILE void product_tile_TYPE_xLANES(int rows, int vectors, int tail, long terms, int add, const TYPE *a, long a_row,
    long a_column, const TYPE *panel, long pitch, TYPE *out, long out_pitch)
{
    CONTRACT
    TYPE_xLANES sums[16][4];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++) sums[i][v] = (TYPE_xLANES){0};
    for (long k = 0; k < terms; k++) {
        TYPE_xLANES b[4];
        UNROLL for (int v = 0; v < vectors; v++) {
            b[v] = load_TYPE_xLANES(panel + k * pitch + v * LANES);
            IN_REGISTER(b[v]);
        }
        UNROLL for (int i = 0; i < rows; i++) {
            const TYPE x = a[i * a_row + k * a_column];
            UNROLL for (int v = 0; v < vectors; v++) sums[i][v] += x * b[v];
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++) {
            TYPE *to = out + i * out_pitch + v * LANES;
            const size_t size = (v == vectors - 1 ? tail : LANES) * sizeof(TYPE);
            if (add) {
                TYPE_xLANES before = {0};
                memcpy(&before, to, size);
                sums[i][v] += before;
            }
            memcpy(to, &sums[i][v], size);
        }
}

"""

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
