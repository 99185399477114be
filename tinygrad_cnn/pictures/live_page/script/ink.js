/* Ink, as the bundled drawings have it: a stroke of a pen that is somewhat thinner than a pixel, on a grid 16 times as
   fine, averaged down; the darkest is 0.9 of black. It is computed with integers, and so is the same in all browsers. */

const FINE = 16, { width: WIDTH, height: HEIGHT } = data;
const PEN = Math.round(FINE * (Math.max(WIDTH, HEIGHT) < 20 ? 0.6 : 0.425)); // its radius
const DARKEST = 0.9;

class Ink {
  constructor(pen, darkest) {
    this.pen = pen;
    this.darkest = darkest;
    this.fine = new Uint8Array(WIDTH * FINE * HEIGHT * FINE);
    this.counts = new Uint16Array(WIDTH * HEIGHT);
    this.levels = new Uint8Array(WIDTH * HEIGHT); // of ink: 0 is paper
  }

  clear() {
    this.fine.fill(0);
    this.counts.fill(0);
    this.levels.fill(0);
  }

  // The pen goes straight from one point of the fine grid to another.
  line(x0, y0, x1, y1) {
    const across = WIDTH * FINE, left = Math.max(0, Math.min(x0, x1) - this.pen), right = Math.min(across - 1, Math.max(x0, x1) + this.pen);
    const top = Math.max(0, Math.min(y0, y1) - this.pen), bottom = Math.min(HEIGHT * FINE - 1, Math.max(y0, y1) + this.pen);
    const dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy, near = this.pen ** 2;
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        if (this.fine[y * across + x]) continue;
        const ax = x - x0, ay = y - y0, along = ax * dx + ay * dy;
        let inside;
        if (along <= 0) inside = ax * ax + ay * ay <= near;
        else if (along >= length) inside = (x - x1) * (x - x1) + (y - y1) * (y - y1) <= near;
        else inside = (ax * dy - ay * dx) ** 2 <= near * length;
        if (!inside) continue;
        this.fine[y * across + x] = 1;
        const pixel = Math.trunc(y / FINE) * WIDTH + Math.trunc(x / FINE);
        this.levels[pixel] = Math.round((this.darkest * 255 * ++this.counts[pixel]) / (FINE * FINE));
      }
    }
  }

  // A stroke from its point `from` on.
  stroke(points, from) {
    if (points.length === 2) this.line(points[0], points[1], points[0], points[1]);
    for (let i = Math.max(2, from); i < points.length; i += 2) this.line(points[i - 2], points[i - 1], points[i], points[i + 1]);
  }
}

/* Strokes as a model of centred drawings sees them: scaled so that their longer side is `share` of the image, put in the
   middle, and drawn with a bold pen. */
const BOLD = new Ink(Math.round(0.75 * FINE), 1);

function centredInk(strokes, share) {
  BOLD.clear();
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const stroke of strokes) {
    for (let i = 0; i < stroke.length; i += 2) {
      left = Math.min(left, stroke[i]);
      right = Math.max(right, stroke[i]);
      top = Math.min(top, stroke[i + 1]);
      bottom = Math.max(bottom, stroke[i + 1]);
    }
  }
  const longest = Math.max(right - left, bottom - top, FINE), scale = (share * Math.max(WIDTH, HEIGHT) * FINE - 2 * BOLD.pen) / longest;
  const middle = [(WIDTH * FINE) / 2 - (scale * (left + right)) / 2, (HEIGHT * FINE) / 2 - (scale * (top + bottom)) / 2];
  for (const stroke of strokes) BOLD.stroke(stroke.map((at, i) => Math.round(scale * at + middle[i % 2])), 0);
  return BOLD.levels;
}
