/* A link has the drawing and how the parameters came about, so that the page computes them again: the seed, the epochs,
   the learning rate, the numbers that were moved, the class, and the strokes. Where these do not say it all, the link
   is to the drawing alone, and the page says so. */

const isRetold = () => !trainedEpochs || course === JSON.stringify([model.rate, model.knobs, 0]);

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Integers as letters of 5 bits each, the sixth says that more follow; the sign is the lowest bit.
function lettersOf(numbers) {
  let text = "";
  for (const n of numbers) {
    let rest = n < 0 ? -2 * n - 1 : 2 * n;
    for (; rest > 31; rest >>= 5) text += DIGITS[32 | (rest & 31)];
    text += DIGITS[rest];
  }
  return text;
}

function numbersOf(text) {
  const numbers = [];
  let n = 0, at = 0;
  for (const letter of text) {
    const digit = DIGITS.indexOf(letter);
    if (digit < 0 || at > 20) return [];
    n |= (digit & 31) << at;
    at += 5;
    if (digit & 32) continue;
    numbers.push(n & 1 ? -(n + 1) / 2 : n / 2);
    n = at = 0;
  }
  return numbers;
}

// Of each stroke, how many points it has, and how far each is from the one before.
const strokesAsText = () => lettersOf(drawing.strokes.flatMap((stroke) => [stroke.length / 2, ...stroke.map((at, i) => (i < 2 ? at : at - stroke[i - 2]))]));

function strokesOf(text) {
  const numbers = numbersOf(text), strokes = [], most = [WIDTH * FINE, HEIGHT * FINE];
  for (let i = 0; i < numbers.length; ) {
    const count = numbers[i++], stroke = numbers.slice(i, (i += 2 * count));
    for (let k = 2; k < stroke.length; k++) stroke[k] += stroke[k - 2];
    if (count < 1 || stroke.length !== 2 * count || stroke.some((at, k) => at < -OUTSIDE || at >= most[k % 2] + OUTSIDE)) return [];
    strokes.push(stroke);
  }
  return strokes;
}

function address() {
  const fields = new URLSearchParams();
  if (model.seed !== null) fields.set("seed", model.seed);
  if (trainedEpochs) fields.set("epochs", trainedEpochs);
  if (model.rate !== data.rate) fields.set("rate", model.rate);
  data.knobs.forEach((knob, k) => model.knobs[k] !== knob.value && fields.set(`knob-${knob.name}`, model.knobs[k]));
  fields.set("class", drawing.label);
  if (drawing.strokes.length) fields.set("ink", strokesAsText());
  else if (drawing.given && drawing.given.part !== "drawings.yours") fields.set("drawing", `${drawing.given.part === "drawings.test" ? "test" : "training"}-${drawing.given.k}`);
  if (backward) fields.set("backward", 1);
  if (language !== data.language) fields.set("lang", language);
  return `#${fields}`;
}

const MOST_EPOCHS = 20_000; // of a link
const PATIENCE = 1500; // milliseconds of them before the page is shown; it then trains on

function restore() {
  const fields = new URLSearchParams(location.hash.slice(1));
  const number = (name, least, most) => {
    const value = fields.has(name) ? Number(fields.get(name)) : NaN;
    return value >= least && value <= most ? value : null;
  };
  if (fields.get("lang") in data.words) language = fields.get("lang");
  if (canTrain) {
    model.seed = null;
    if (starts.has(fields.get("seed"))) model.seed = fields.get("seed");
    model.rate = number("rate", 0, 1e3) ?? data.rate;
    data.knobs.forEach((knob, k) => (model.knobs[k] = number(`knob-${knob.name}`, knob.least, knob.most) ?? knob.value));
    startOver();
    const count = bundled ? Math.floor(number("epochs", 0, MOST_EPOCHS) ?? 0) : 0, until = performance.now() + PATIENCE;
    while (trainedEpochs < count && performance.now() < until && trainOnce());
    if (trainedEpochs < count) trainUpTo(count);
    else if (count) rest();
  }
  label(number("class", 0, data.classes.length - 1) ?? 0);
  lift();
  const strokes = strokesOf(fields.get("ink") ?? "");
  Object.assign(drawing, { strokes, given: null });
  past = strokes.map((_, k) => ({ strokes: strokes.slice(0, k), given: null }));
  const [part, k] = (fields.get("drawing") ?? "").split("-"), row = rows.find((one) => one.name === `drawings.${part}`);
  if (!drawing.strokes.length && row?.items[k]) drawing.given = { levels: row.items[k].levels, part: row.name, k: Number(k) };
  redraw();
  return fields.has("backward");
}

$("link").addEventListener("click", async () => {
  let text = say("link.none"); // as within a notebook
  try {
    window.history.replaceState(null, "", address());
    text = say("link.shown");
    await navigator.clipboard.writeText(location.href);
    text = say("link.copied");
  } catch {
    // A page that was opened as a file may have no clipboard: then its address alone has it.
  }
  announce(isRetold() ? text : `${text} ${say("link.other")}`);
});

// The picture: the pad, the verdict, and the graph beneath, at twice their size.
async function pictureOf() {
  const style = getComputedStyle(root), colour = (name) => style.getPropertyValue(name), clone = svg.cloneNode(true);
  const rules = [...document.querySelectorAll("style")].map((one) => one.textContent).join("").match(/\.dark #graph \[[^}]*\}/g) ?? [];
  if (root.classList.contains("dark")) clone.prepend(svgElement("style", {}, rules.join("").replaceAll(".dark #graph ", "")));
  const [left, top] = clone.getAttribute("viewBox").split(" ").map(Number);
  for (const place of places.filter((one) => one.isShown)) {
    const [width, height, across] = place.tile;
    place.canvases.forEach((canvas, i) => {
      const x = left + place.left + (i % across) * (width + 2), y = top + place.top + Math.floor(i / across) * (height + 2);
      clone.append(svgElement("image", { href: canvas.toDataURL(), x, y, width, height, preserveAspectRatio: "none", style: "image-rendering:pixelated" }));
    });
  }
  clone.setAttribute("width", wide);
  clone.setAttribute("height", high);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(clone))}`;
  await image.decode();
  const margin = 24, side = 240, canvas = element("canvas"), scale = 2;
  canvas.width = scale * (margin * 3 + side + wide);
  canvas.height = scale * (margin * 2 + Math.max(high, side + 120));
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.fillStyle = colour("--paper");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  context.drawImage(pad, margin, margin, side, (side * HEIGHT) / WIDTH);
  context.strokeStyle = colour("--frame");
  context.strokeRect(margin, margin, side, (side * HEIGHT) / WIDTH);
  context.imageSmoothingEnabled = true;
  context.drawImage(image, 2 * margin + side, margin, wide, high);
  context.fillStyle = colour("--ink");
  context.font = `600 26px ${getComputedStyle(document.body).fontFamily}`;
  if (!isEmpty()) {
    const { answer, share } = verdict(), below = margin + (side * HEIGHT) / WIDTH;
    context.fillText(answer, margin, below + 40, side);
    context.font = `20px ${getComputedStyle(document.body).fontFamily}`;
    context.fillText(share, margin, below + 68);
  }
  return canvas;
}

$("save").addEventListener("click", async () => {
  const link = element("a", { href: (await pictureOf()).toDataURL("image/png"), download: "tinygrad_cnn.png" });
  link.click();
});
