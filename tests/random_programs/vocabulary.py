"""What a random program is made of: templates of statements, one a line, over the variables that a Writer fills in.

a, b, c     arrays of floats, of shapes that fit as far as possible: what does not fit is not kept
m           a mask; s, z: a symmetric matrix, complex numbers; v: a number, or the name of a new variable
axis, axes  an axis of a, or several, or None
"""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


def _lines(text: str) -> list[str]:
    return text.strip().split("\n")


def _blocks(text: str) -> list[str]:
    return text.strip().split("\n\n")


UNARY = _words("""
exp log sqrt sin cos tan tanh sinh cosh arcsin arccos arctan arcsinh arccosh arctanh expm1 log1p log2 log10
exp2 square reciprocal cbrt abs absolute fabs negative positive conjugate deg2rad rad2deg degrees radians sinc
i0 nan_to_num real imag angle floor ceil trunc rint sign real_if_close acos asin atan
""")

BINARY = _words("""
add subtract multiply divide true_divide power maximum minimum fmax fmin hypot arctan2 logaddexp logaddexp2
copysign fmod remainder mod float_power heaviside nextafter floor_divide pow
""")

# Without power and arctan2: NumPy's own reduce of these gives the wrong number on some processors, f(x[0], x[-1]).
REDUCING = _words("""
add multiply subtract divide maximum minimum fmax fmin logaddexp hypot logaddexp2 remainder copysign
""")

SLICES = _words("""
: : ::-1 ::2 1: :-1 ::-2 -2: 0:1
""")

ELEMENTWISE = _lines("""
np.log(np.abs({a}) + 0.5)
np.sqrt({a} ** 2 + 1)
np.tanh({a})
abs({a})
-{a}
+{a}
tg.relu({a})
tg.sigmoid({a})
np.exp(-{a} ** 2)
1 / (1 + {a} ** 2)
{a} ** 3
{a} ** 2
np.power({a}, 2)
2.0 ** {a}
np.arcsin(np.tanh({a}))
{a}.conj()
{a}.round(2)
{a} % 1.1
np.modf({a})[0]
np.frexp({a})[0]
np.ldexp({a}, 2)
divmod({a}, 0.7)[1]
{a} // 0.5
np.clip({a}, -0.5, 0.8)
{a}.clip(-0.5)
{a}.clip(max=0.4)
np.clip({a}, None, 0.6)
np.clip({a}, None, None)
np.clip({a}, min=0.1)
{a} ** 0.5
{a} ** -1
{a} ** 0
{a} ** 1
""")

CHOICES = _lines("""
np.where({m}, {a}, {b})
np.where({m}, {b}, {a})
np.select([{m}, {a} > 0.5], [{a}, {b}], 0.1)
np.select([{m}], [{a} * 2], {b})
np.clip({a}, {b}, {b} + 0.5)
np.clip({b}, {a}, 1.5)
np.choose({a} > 0, [{a}, {b}])
np.piecewise({a}, [{a} > 0], [lambda t: t ** 2, lambda t: -t])
np.nan_to_num(np.where({m}, {a}, np.nan))
np.maximum({a}, 0)
np.minimum({a}, {b})
{a} * {m}
np.copysign({a}, {b})
np.compress([True, False], {a}, axis=0)
np.extract({m}, {a})
""")

CUMULATIVE = _lines("""
np.cumsum({a}, axis={axis})
np.cumprod({a}, axis={axis})
{a}.cumsum({axis})
{a}.cumprod({axis})
np.cumulative_sum({a}, axis={axis})
np.cumulative_sum({a}, axis={axis}, include_initial=True)
np.cumulative_prod({a}, axis={axis})
np.nancumsum({a}, axis={axis})
np.nancumprod({a}, axis={axis})
""")

STATISTICS = _lines("""
np.median({a}, axis={axes}{keep})
np.quantile({a}, {q}, axis={axes}{keep})
np.quantile({a}, {q}, axis={axis}, method='{method}')
np.percentile({a}, 30, axis={axes}{keep})
np.average({a}, axis={axis})
np.average({a}, axis={axis}, weights=np.exp({a}))
np.cov({a})
np.cov({a}, rowvar=False)
np.corrcoef({a})
np.cov({a}, bias=True)
np.average({a}, weights=np.abs({b}) + 0.1 + 0 * {a})
np.std({a}, axis={axis}, ddof=1)
np.histogram({a}, bins=3)[1]
np.var({a}, axis={axes}, mean=np.mean({a}, axis={axes}, keepdims=True))
""")


PICKED_BY_VALUES = _lines("""
{a}[np.argsort({a}, axis=0)[0]]
{a}[{a} > 0]
np.take_along_axis({a}, np.argsort({a}, axis={axis}), axis={axis})
np.take({a}, [0, -1, 0], axis={axis})
{a}.take([0, -1])
np.take({a}, np.argmax({a}))
np.take({a}, [[0], [1]], axis={axis}, mode='clip')
np.take({a}, [5, -7], axis={axis}, mode='wrap')
{a}[np.ix_([0, -1])]
{a}[np.nonzero({a} > 0.1)]
{a}[np.where({a} < 0)]
{a}[tuple(np.argwhere({a} == np.max({a}))[0])]
{a}[int(np.argmax({a}[..., 0])) % len({a})]
""")

VIEWS = _lines("""
{a}.T
{a}.ravel()
{a}.reshape(-1)
np.ravel({a})
np.reshape({a}, (-1,))
np.transpose({a})
{a}.swapaxes(0, -1)
np.swapaxes({a}, 0, 1)
np.moveaxis({a}, 0, -1)
np.rollaxis({a}, -1)
{a}[...]
{a}[None]
np.expand_dims({a}, {axis})
np.squeeze({a})
{a}.squeeze()
np.diagonal({a})
{a}.diagonal(1)
np.flip({a})
np.flip({a}, {axis})
np.rot90({a})
np.fliplr({a})
np.flipud({a})
{a}.mT
np.matrix_transpose({a})
np.atleast_1d({a})
np.atleast_2d({a})
np.atleast_3d({a})
np.split({a}, [1], axis={axis})[1]
np.real({a})
{a}.real
{a}.reshape({a}.shape[::-1])
np.array_split({a}, 2, axis={axis})[0]
np.permute_dims({a}, {perm})
{a}.transpose({perm})
np.transpose({a}, {perm})
{a}.ravel('F')
{a}.reshape(-1, order='F')
{a}.ravel('K')
{a}.ravel('A')
np.reshape({a}, (-1,), order='A')
np.reshape({a}, -1, copy=True)
np.broadcast_to({a}, (2, *{a}.shape))
np.broadcast_arrays({a}, {a}[..., :1])[1] * 1.0
np.asarray({a}, like={a})
np.asanyarray({a}, like={a})
np.ascontiguousarray({a}, like={a})
np.asfortranarray({a}, like={a})
{a}.astype(float, copy=False)
np.unstack({a}, axis={axis})[0]
np.asarray({a}, order='F', like={a})
{a}.astype(np.float32)
{a}.astype(np.float64)
np.linalg.diagonal({a})
np.diag({a})
np.vsplit({a}, 1)[0]
np.dsplit({a}, [1])[0]
np.hsplit({a}, [1])[0]
np.nan_to_num({a}, copy=False)
{a}[{a}.shape[0] // 2]
np.reshape({a}, {a}.shape)
{a}.T.reshape(-1)
{a}.reshape(1, -1)
{a}.reshape(*{a}.shape, 1)
np.squeeze({a}[None], 0)
np.array({a}, copy=False, like={a})
np.array({a}, copy=None, ndmin=3, like={a})
np.resize({a}, (2, 3))
next(iter({a}))
np.lib.stride_tricks.sliding_window_view({a}, 1, axis={axis})
""")

COPIES = _lines("""
{a}.copy()
np.copy({a})
{a}.copy('F')
{a}.copy('K')
{a}.copy('A')
np.copy({a}, order='C')
{a}.flatten()
{a}.flatten('F')
np.array({a}, like={a})
{a} * 1.0
1 * {a}
+{a}
np.zeros_like({a})
np.ones_like({a})
np.full_like({a}, 0.3)
np.zeros((2, 3), like={a})
np.ones({a}.shape, like={a})
np.full((2,), {a}.reshape(-1)[0], like={a})
np.zeros_like({a}, shape=(3, 2))
np.zeros_like({a}, order='F')
np.positive({a})
{a}.astype({a}.dtype)
np.astype({a}, float)
np.astype({a}, np.float32)
np.full_like({a}, {a}.reshape(-1)[-1])
np.zeros_like({a}, dtype=np.float64)
np.array({a}, order='F', like={a})
np.eye(3, like={a})
np.zeros({a}.shape, order='F', like={a})
""")

ASSIGNMENTS = _lines("""
np.copyto({a}, {b})
np.copyto({a}, {b}, where={m})
np.put({a}, {places}, {v})
{a}.put({places}, {v})
np.put({a}, {places}, {a}.reshape(-1)[:1] * 2)
np.put({a}, [0, 99], {v}, mode='clip')
np.fill_diagonal({a}, {v})
np.fill_diagonal({a}, {v}, wrap=True)
np.putmask({a}, {m}, {b})
np.place({a}, {m}, [0.3, 0.4])
{a}.sort()
{a}.sort({axis})
{a}.sort(axis=0)
{a}.fill({v})
{a}.partition({k}, axis={axis})
np.put_along_axis({a}, np.argmax({a}, axis={axis}, keepdims=True), {v}, axis={axis})
np.add.at({a}, {i}, {v})
np.subtract.at({a}, {i}, {v})
np.add.at({a}, ([0, 0, -1],), {v})
{a}.T.sort()
{a}[::-1].sort(0)
{a}.ravel().sort()
{a}[...] = np.sort({a}, axis={axis})
np.multiply.at({a}, {i}, {v})
{a}.fill(np.sum({a}))
{a}.T.fill({v})
{a}[:] = {a}[::-1]
{a}[1:] = {a}[:-1]
{a}[1:] += {a}[:-1]
{a}[::-1] *= {a}
{a}.T[...] = {a}
{a} += {a}.T
{a}.ravel()[0] = {v}
{a}[0], {a}[-1] = {a}[-1], {a}[0]
{a}[0] = {a}[-1]
{a} -= np.mean({a}, axis={axis}, keepdims=True)
{a}[{m}] = {v}
{a}[{m}] *= 0.5
{a}[{m}] += {a}[{m}]
{a}.real[...] = {b}
{a}.reshape(-1)[{places}] = {v}
""")

JOINS = _lines("""
np.concatenate([{a}, {b}], axis={axis})
np.concatenate(({a}, {b}, {c}))
np.concatenate([{a}, {b}], axis=None)
np.stack([{a}, {b}], axis={axis})
np.stack([{a}, {b}, {c}])
np.vstack([{a}, {b}])
np.hstack([{a}, {b}])
np.dstack([{a}, {b}])
np.column_stack([{a}, {b}])
np.block([{a}, {b}])
np.block([[{a}, {b}], [{c}, {a}]])
np.block({a})
np.append({a}, {b})
np.append({a}, {b}, axis={axis})
np.concat([{a}, {b}])
np.stack([{a}], -1)
np.array([{a}, {b}], like={a})
np.concatenate([{a}[:1], {b}])
np.stack([row * 2 for row in {a}])
np.concatenate([{a}, np.ones_like({b})], axis={axis})
np.vstack({a})
np.hstack({a})
np.stack({a})
np.concatenate({a})
""")

SPLITS = _lines("""
np.split({a}, [1], axis={axis})
np.split({a}, 2, axis={axis})
np.array_split({a}, 2, axis={axis})
np.hsplit({a}, [1])
np.vsplit({a}, [1])
[t * 1 for t in np.broadcast_arrays({a}, {a}[:1])]
np.meshgrid({a}, {a})
[t * 1 for t in np.meshgrid({a}, {a}, indexing='ij', copy=False)]
np.meshgrid({a}, {a}, sparse=True)
np.unstack({a}, axis={axis})
{a}
np.divmod({a}, 0.9)
np.modf({a})
""")

REARRANGED = _lines("""
np.roll({a}, 1, axis={axis})
np.roll({a}, 2)
np.roll({a}, (1, -1), axis=(0, 1))
np.tile({a}, 2)
np.tile({a}, (2, 1))
np.repeat({a}, 2, axis={axis})
np.repeat({a}, 2)
{a}.repeat(2, {axis})
np.delete({a}, 0, axis={axis})
np.delete({a}, [0, -1])
np.insert({a}, 1, 0.5, axis={axis})
np.insert({a}, [0, 1], 0.5)
np.tril({a})
np.triu({a}, 1)
np.diag({a})
np.diag({a}, 1)
np.diagflat({a})
np.diff({a}, axis={axis})
np.diff({a}, n=2, axis={axis})
np.diff({a}, prepend=0.0, axis={axis})
np.ediff1d({a})
np.ediff1d({a}, to_begin=0.5)
np.gradient({a}, axis={axis})
np.gradient({a}, 0.5, axis={axis})
np.gradient({a}, axis={axis}, edge_order=2)
np.trapezoid({a}, axis={axis})
np.trapezoid({a}, dx=0.5)
np.unwrap({a}, axis={axis})
np.resize({a}, (3, 2))
np.trim_zeros({a})
np.sort({a}, axis={axis})
np.sort({a}, axis=None)
np.sort({a})
np.partition({a}, 1, axis={axis})
np.unique({a})
np.union1d({a}, {a} + 1)
np.vander({a}, 3)
np.vander({a}, 3, increasing=True)
np.poly({a})
np.polyval({a}, 0.7)
np.polymul({a}, {a})
np.polyadd({a}, [1.0, 2.0])
np.polyder({a})
np.polyint({a})
np.convolve({a}, [0.5, 1.0])
np.convolve({a}, {a}, 'same')
np.correlate({a}, {a}, 'full')
np.trace({a})
{a}.trace(1)
np.apply_along_axis(lambda r: r * r[0], {axis}, {a})
np.apply_over_axes(np.sum, {a}, [{axis}])
np.fft.fftshift({a})
np.fft.ifftshift({a}, axes={axis})
np.bincount([0, 1, 1], weights={a}.reshape(-1)[:3])
np.linspace(0.0, {a}, 3)
np.linspace({a}, 1.0, 4, axis={axis})
np.geomspace(np.abs({a}) + 0.1, 2.0, 3)
np.logspace({a}, 1.0, 3, base=2.0)
np.choose([0, 1], {a})
np.intersect1d({a}, {a}[..., :1])
np.setdiff1d({a}, [0.0])
np.sort_complex({a}).real
np.flip({a}, axis={axis})
""")

PADDINGS = ["", ", constant_values=0.5", ", constant_values=(1, 2)"] + [
    f", mode={mode}"
    for mode in _lines("""
'edge'
'reflect'
'reflect', reflect_type='odd'
'symmetric'
'wrap'
'mean'
'mean', stat_length=1
'maximum'
'minimum'
'median'
'linear_ramp'
'linear_ramp', end_values=1.0
""")
]

INTERPOLATIONS = _lines("""
np.interp({a}, [-1.0, 0.0, 1.0], [0.5, 2.0, -1.0])
np.interp({a}, np.array([-2.0, 0.1, 2.0]), np.array([0.0, 1.0, 0.5]) * np.mean({b}))
np.interp([0.2, 0.7], np.sort({a}.reshape(-1)), {a}.reshape(-1))
np.interp(0.3, [0.0, 1.0], np.stack([np.sum({a}), np.sum({b})]))
np.interp({a}, [-1.0, 1.0], [0.0, 1.0], left=-0.5, right=0.1)
np.interp({a}, [0.0, 0.5], [0.0, 1.0], period=1.0)
""")

PRODUCTS = _lines("""
{a} @ {c}
np.matmul({a}, {c})
np.dot({a}, {c})
{a}.dot({v})
{a} @ {v}
np.inner({a}, {b})
np.outer({a}, {b})
np.kron({a}, {b})
np.vdot({a}, {b})
np.tensordot({a}, {c}, 1)
np.tensordot({a}, {b}, {n})
np.tensordot({a}, {b}, axes=([0], [0]))
{a} @ {b}.swapaxes(-1, -2)
{a}.T @ {b}
np.vecdot({a}, {b})
np.matvec({a}, {v})
np.vecmat({v}, np.swapaxes({a}, -1, -2))
np.einsum('...i,...i->...', {a}, {b})
np.einsum('...i,ij->...j', {a}, {c})
np.einsum('i...,i...', {a}, {b})
np.einsum('ij,kj->ik', {a}, {b})
np.einsum('ij->ji', {a})
np.einsum('ii', {a})
np.einsum('ii->i', {a})
np.einsum('ij,jk,k->i', {a}, {c}, {c}[0])
np.einsum('...j,j->...', {a}, {v})
np.einsum({a}, [0, 1], [1])
np.einsum('...j,...jk->...k', {a}, {c})
np.einsum('i,j->ij', {v}, {a}.reshape(-1))
np.cross({a}, {b})
np.cross({a}[..., :2], {b}[..., :2])
np.linalg.multi_dot([{a}, {c}, {c}.T])
np.linalg.outer({v}, {v})
np.linalg.matrix_power({a}, 2)
np.linalg.matrix_power({a}, 3)
np.cross({a}[..., :3], {b}[..., :3])
np.trace({a} @ {b}.T)
np.linalg.vecdot({a}, {b})
np.einsum('ij...->j...i', {a})
np.einsum('ij,ij->j', {a}, {b}, optimize=True)
{c}.T @ {a}.T
np.convolve({v}, {a}[..., 0].reshape(-1)[:2])
""")

SQUARE = _lines("""
np.linalg.inv({m})
np.linalg.solve({m}, {b})
np.linalg.solve({m}, {m}.T[..., :1])
np.linalg.det({m})
np.linalg.slogdet({m})[1]
np.linalg.cholesky({s})
np.linalg.cholesky({s}, upper=True)
np.linalg.eigh({s})[0]
np.linalg.eigvalsh({s})
np.abs(np.linalg.eigh({s})[1])
np.linalg.eigh({s}, UPLO='U').eigenvalues
np.linalg.svd({m}, compute_uv=False)
np.linalg.svdvals({m})
np.linalg.qr({m})[1]
np.linalg.qr({m})[0]
np.linalg.pinv({m})
np.linalg.norm({m}, 2)
np.linalg.norm({m}, 'nuc')
np.linalg.cond({m})
np.linalg.tensorinv({m}, 1)
np.linalg.tensorsolve({m}, {b})
np.linalg.eigvalsh({m})
np.linalg.cholesky({m} + 2 * np.eye({m}.shape[0]))
np.linalg.matrix_power({m}, -1)
np.abs(np.linalg.svd({m})[0])
np.abs(np.linalg.svd({m})[2])
np.linalg.qr({m}, mode='r')
np.linalg.lstsq({m}, {b})[0]
""")

RECTANGULAR = _lines("""
np.linalg.norm({a})
np.linalg.norm({a}, axis={axis})
np.linalg.norm({a}, 1, axis={axis})
np.linalg.norm({a}, np.inf, axis={axis})
np.linalg.norm({a}, 3, axis={axis})
np.linalg.norm({a}, axis=(0, 1))
np.linalg.norm({a}, 'fro', axis=(-1, 0), keepdims=True)
np.linalg.norm({a}, 2, axis=(0, -1))
np.linalg.norm({a}, 1)
np.linalg.norm({a}, -2, axis={axis})
np.linalg.vector_norm({a})
np.linalg.matrix_norm({a})
np.linalg.norm({a}, 'nuc', axis=(-2, -1))
np.linalg.norm({a}, -1, axis=(0, 1))
np.linalg.svd({a}, full_matrices=False)[1]
np.linalg.svd({a})[1]
np.linalg.qr({a})[1]
np.linalg.pinv({a})
np.linalg.matrix_norm({a}, ord=2)
np.linalg.lstsq({a}, np.ones(len({a})))[0]
(lambda u, s, vt: u * s @ vt)(*np.linalg.svd({a}, full_matrices=False))
np.linalg.svdvals({a})
np.linalg.norm({a}, 0, axis={axis})
np.linalg.vector_norm({a}, axis={axis}, keepdims=True, ord=4)
np.linalg.lstsq({a}, {a})[1]
np.abs(np.linalg.svd({a}, full_matrices=False)[2])
""")

FOURIER = _lines("""
np.fft.fft({a}{n}, axis={axis}{norm})
np.fft.rfft({a}{n}, axis={axis}{norm})
np.fft.ifft({a}{n}, axis={axis}{norm})
np.fft.irfft({a}{n}, axis={axis}{norm})
np.fft.fft2({a})
np.fft.rfft2({a})
np.fft.fftn({a}{norm})
np.fft.rfftn({a})
np.fft.irfft(np.fft.rfft({a}, axis={axis}) * 2, axis={axis})
np.abs(np.fft.rfft({a}, axis={axis}))
np.fft.hfft({a}, axis={axis})
np.fft.ihfft({a}, axis={axis})
np.real(np.fft.ifft(np.fft.fft({a}, axis={axis}) ** 2, axis={axis}))
np.fft.ifft2(np.fft.fft2({a}) * {a}).real
np.fft.irfftn(np.fft.rfftn({a}) + 1)
""")

COMPLEX = _lines("""
np.abs({z})
np.real({z})
np.imag({z})
{z}.imag
{z}.real
np.conj({z})
{z} * {z}.conj()
np.exp({z})
{z} ** 2
np.real({z} * np.conj({z}))
np.angle({z})
np.sum({z})
{z} / (2 + 1j)
np.abs({z}) ** 2
np.sin({z})
{z} @ {z}.T
np.fft.ifft({z})
np.fft.ifft({z}).real
np.prod({z})
np.log({z} + 3)
np.sqrt({z} + 4)
np.mean({z}, axis=0)
np.var({z})
np.linalg.norm({z})
1 / ({z} + 3)
np.cumsum({z})
np.vdot({z}, {z})
np.dot({z}, {z})
np.where(np.abs({z}) > 1, {z}, 0)
np.einsum('...i,...i', {z}, {z})
{z} - 1j
np.concatenate([{z}, {z}])
np.tanh({z})
np.square({z})
np.cumprod({z})
""")


COMPLEX_ASSIGNMENTS = _lines("""
{z}[0] = 1 + 2j
{z} *= 1j
{z}[...] = {a}
{z} += {a}
{z}[1:] *= {z}[:-1]
{z} /= 2 + 1j
{z}[0] *= np.conj({z}[-1])
""")

WINDOWS = _lines("""
tg.conv2d({x}, {w}, stride={s}, padding={p})
tg.conv2d({x}, {w}, stride=({s}, 1))
tg.max_pool2d({x}, {k}, {s})
tg.max_pool2d({x}, ({k}, 1))
tg.avg_pool2d({x}, {k}, {s})
tg.im2col({x}, {k}, {s})
tg.conv2d({x}, {a}.reshape(-1)[:2].reshape(1, 1, 2, 1))
tg.avg_pool2d({x}, (1, {k}))
np.lib.stride_tricks.sliding_window_view({a}, 2, axis=-1)
""")


UFUNC_METHODS = _lines("""
np.power.accumulate(np.abs({a}) + 0.5, axis={axis})
np.arctan2.accumulate({a}, axis={axis})
np.arctan2.outer({a}, {b})
np.power.outer(np.abs({a}) + 0.5, {b})
np.{f}.reduce({a}, axis={axis}{keep})
np.{f}.accumulate({a}, axis={axis})
np.{f}.outer({a}, {b})
np.{f}.reduceat({a}, [0, 1], axis={axis})
np.{f}.reduce({a}, axis={axes}{keep})
np.{f}.reduce({a})
np.{f}.accumulate({a})
np.{f}.reduce({a}, axis={axis}, initial=0.5)
np.{f}.reduce({a}, axis={axis}, where={m}, initial=1.0)
""")


CONTROL_FLOW = _blocks("""
if np.sum({a}) > 0:
    {v} = np.sin({a})
else:
    {v} = {a} * 0.5

{v} = np.sum({a}) * 0.1
for row in {b}:
    {v} = {v} + np.sum(row ** 2)

{v} = {b} * 1.0
for k in range(len({b}) - 1):
    {v}[k + 1] += 0.5 * {v}[k]

{v} = {a} * 1.0
while np.max(np.abs({v})) > 0.5:
    {v} = {v} * 0.6

{v} = np.zeros_like({b})
for k, row in enumerate({b}):
    {v}[-1 - k] = row

{v} = {b} * 1.0
for row in {v}:
    row *= 0.5

with tg.scope('part'):
    {v} = np.tanh({a}) * {a}

{v} = tg.checkpoint(lambda t: np.tanh(t) * t)({a})

{v} = tg.checkpoint(lambda t: t[::-1] * {b})({b})

{v} = tg.checkpoint(lambda t: np.sum(t * {a}, axis=-1))({a})

with tg.no_grad():
    k = int(np.argmax({b})) % len({b})
{v} = {b}[k] * 2

with tg.no_grad():
    k = bool(np.mean({a}) > 0)
{v} = {a} * (2.0 if k else 3.0)

{v} = tg.grad(lambda t: np.sum(np.sin(t) * t))({a})

{v} = tg.grad(lambda t: np.sum(t ** 2 * {a}))({a})

{v} = tg.jvp(lambda t: np.exp(t) * {a}, [{a}], [{a}])[1]

{v} = sum([{a}, {a} * 2, {a} ** 2])

{v} = {a} * 1.0
{v}k = {v}
{v} += 1.0
{v} = {v} * {v}k

mask = {b} > 0
{v} = np.where(mask, {b}, 0.1)
mask[...] = False

i = np.argsort({b}, axis={axis})
{v} = np.take_along_axis({b}, i, {axis})
i[...] = 0

d = {{'p': {a}, 'q': [{a} * 2]}}
{v} = d['p'] + d['q'][0]

buffer = np.ones({shape})
{v} = {a} * buffer
buffer[...] = 5.0

{v} = max({b}.reshape(-1), key=lambda t: t) * 2

{v} = {b}.reshape(-1)[0] if {b}.reshape(-1)[0] > 0 else {b}.reshape(-1)[-1]

{v} = np.where(np.isclose({a}, 0), 1.0, {a})

{v} = [t * 2 for t in {b}][-1]
""")
