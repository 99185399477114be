/* Arrays as small pictures, coloured as in `view/thumbnails.py`: where nothing is negative, 0 is black and the largest
   white; else colours diverge from white at 0. Cotangents always diverge. */

const QUANTILE = 0.97, TYPICAL = 4;
const NAN = [0xe6, 0x00, 0xc8], INF = [0x00, 0xa0, 0x50];

function scaleOf(values, diverging) {
  const sizes = Float64Array.from(values, Math.abs).filter((x) => x > 0 && Number.isFinite(x)).sort();
  const diverges = diverging || values.some((x) => x < 0 && x > -Infinity);
  if (!sizes.length) return { diverges, top: 1, root: 1 };
  const most = sizes.at(-1), high = sizes[Math.floor(QUANTILE * (sizes.length - 1))], half = sizes.length >> 1;
  const typical = sizes.length % 2 ? sizes[half] : (sizes[half - 1] + sizes[half]) / 2, top = Math.min(high, TYPICAL * typical);
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
