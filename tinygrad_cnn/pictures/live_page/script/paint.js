/* Arrays as small pictures, coloured as in `view/thumbnails.py`: where nothing is negative, 0 is black and the largest
   white; else colours diverge from white at 0. Cotangents always diverge. */

const QUANTILE = 0.97, TYPICAL = 4;
const NAN = [0xe6, 0x00, 0xc8], INF = [0x00, 0xa0, 0x50];

// The k-th smallest of the first `count` numbers, which are put in another order: of those before it, none is larger. It
// is Hoare's selection, as sorting all of a large model's values at each stroke would take longer than the model.
function smallest(k, numbers, count) {
  let low = 0, high = count - 1;
  while (low < high) {
    const pivot = numbers[(low + high) >> 1];
    let i = low, j = high;
    while (i <= j) {
      while (numbers[i] < pivot) i++;
      while (numbers[j] > pivot) j--;
      if (i > j) break;
      const one = numbers[i];
      numbers[i++] = numbers[j];
      numbers[j--] = one;
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return numbers[k];
}

function scaleOf(values, diverging) {
  const sizes = new Float64Array(values.length);
  let count = 0, most = 0, diverges = diverging;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (!(size > 0 && size < Infinity)) continue;
    if (values[i] < 0) diverges = true;
    if (size > most) most = size;
    sizes[count++] = size;
  }
  if (!count) return { diverges, top: 1, root: 1 };
  const at = Math.floor(QUANTILE * (count - 1)), half = count >> 1, high = smallest(at, sizes, count);
  const middle = smallest(half, sizes, count), below = count % 2 ? middle : smallest(half - 1, sizes, count);
  const typical = (below + middle) / 2, top = Math.min(high, TYPICAL * typical);
  if (high > TYPICAL * top) return { diverges, top: high, root: Math.ceil((Math.log(high) - Math.log(typical)) / Math.log(TYPICAL)) };
  return { diverges, top: most <= (diverges ? 1 : TYPICAL) * top ? most : top, root: 1 };
}

function colour(x, { diverges, top, root }, to, at) {
  let colours = diverges ? data.diverging : data.grey, k = 0;
  if (Number.isNaN(x)) colours = NAN;
  else if (!Number.isFinite(x)) colours = INF;
  else {
    let share = x / top;
    if (root > 1) share = Math.sign(share) * Math.abs(share) ** (1 / root);
    k = 3 * Math.max(0, Math.min(255, Math.round(255 * (diverges ? share / 2 + 0.5 : share))));
  }
  to[at] = colours[k];
  to[at + 1] = colours[k + 1];
  to[at + 2] = colours[k + 2];
  to[at + 3] = 255;
}

// One tile of an array on its canvas, which has a pixel for each element.
function paintTile(canvas, values, [offset, rows, columns, rowStep, columnStep], scale) {
  const context = canvas.getContext("2d"), image = (canvas.image ??= context.createImageData(columns, rows));
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at += 4) colour(values[offset + i * rowStep + j * columnStep], scale, image.data, at);
  }
  context.putImageData(image, 0, 0);
}

function rangeOf(values) {
  let low = Infinity, high = -Infinity, broken = 0;
  for (const x of values) {
    if (!Number.isFinite(x)) broken++;
    else {
      if (x < low) low = x;
      if (x > high) high = x;
    }
  }
  if (broken === values.length) return written(values[0]);
  const range = low === high ? written(low) : `${written(low, 3)} … ${written(high, 3)}`;
  return broken ? `${broken} NaN, ${range}` : range;
}
