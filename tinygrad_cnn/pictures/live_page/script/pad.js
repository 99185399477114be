/* The pad. `drawing` is what is on it:

   strokes   lists of points x, y, x, y, … on the fine grid of `ink.js`
   given     null, or the drawing of the data that the strokes are on: {name, levels, label}
   levels    the ink of each pixel, 0 to 255
   seen      the same, as the model sees it
   label     the class that it is meant to be

   `past` is what was on it before each change, for undo. */

const pad = $("pad"), ink = new Ink(PEN, DARKEST);
const drawing = { strokes: [], given: null, levels: new Uint8Array(WIDTH * HEIGHT), seen: new Uint8Array(WIDTH * HEIGHT), label: 0 };
const CELL = Math.max(8, Math.round(308 / Math.max(WIDTH, HEIGHT))); // pixels of the pad for one of the drawing
pad.width = CELL * WIDTH;
pad.height = CELL * HEIGHT;
$("board").style.aspectRatio = `${WIDTH} / ${HEIGHT}`;

// Where the pad stays above the graph, the classes above it do not, of whatever height they are.
const stay = () => $("draw").style.setProperty("--above", `${$("board").offsetTop - 10}px`);
addEventListener("resize", stay);

let past = []; // of {strokes, given}

const isEmpty = () => !drawing.strokes.length && !drawing.given;

function settle() {
  const { given, levels } = drawing;
  for (let i = 0; i < levels.length; i++) levels[i] = given ? Math.max(given.levels[i], ink.levels[i]) : ink.levels[i];
  drawing.seen.set(data.centred === null || given || !drawing.strokes.length ? levels : centredInk(drawing.strokes, data.centred));
  showPad();
  tell("drawn");
}

function redraw() {
  ink.clear();
  for (const stroke of drawing.strokes) ink.stroke(stroke, 0);
  settle();
}

// Levels of ink on a canvas with a pixel for each.
function paintLevels(canvas, levels, strength) {
  const context = canvas.getContext("2d"), image = context.createImageData(WIDTH, HEIGHT);
  for (let i = 0; i < levels.length; i++) {
    const at = Math.min(1, (strength * levels[i]) / 255);
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = paperColour[c] + (inkColour[c] - paperColour[c]) * at;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

const small = element("canvas", { width: WIDTH, height: HEIGHT });

function showPad() {
  const context = pad.getContext("2d");
  paintLevels(small, drawing.levels, 1);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, pad.width, pad.height);
  $("hint").hidden = !isEmpty() || pen.isDown;
  $("undo").disabled = !past.length;
  $("clear").disabled = isEmpty();
}

// Before a change: what is there now can be had back, and the pen is up.
function change() {
  past.push({ strokes: [...drawing.strokes], given: drawing.given });
  lift();
}

// Where the pen is, by a pointer, of which it follows one alone, or by keys.
const pen = { x: (WIDTH * FINE) >> 1, y: (HEIGHT * FINE) >> 1, isDown: false, byKeys: false, pointer: null };

function lift() {
  pen.isDown = false;
  showPen();
}

function putDown(x, y) {
  change();
  drawing.given = null; // a new drawing, and not one on another's
  Object.assign(pen, { x, y, isDown: true });
  drawing.strokes.push([x, y]);
  ink.stroke(drawing.strokes.at(-1), 0);
  settle();
}

function move(points) {
  const stroke = drawing.strokes.at(-1), from = stroke.length;
  for (const [x, y] of points) {
    if (Math.abs(x - pen.x) + Math.abs(y - pen.y) < FINE / 3) continue; // so that a link is short
    Object.assign(pen, { x, y });
    stroke.push(x, y);
  }
  if (stroke.length === from) return;
  ink.stroke(stroke, from);
  settle();
}

// A pen that leaves the pad goes on beside it, where it leaves no ink.
const OUTSIDE = FINE;

function place(event) {
  const box = pad.getBoundingClientRect();
  const on = (at, size, most) => Math.max(-OUTSIDE, Math.min(most - 1 + OUTSIDE, Math.floor((at / size) * most)));
  return [on(event.clientX - box.left, box.width, WIDTH * FINE), on(event.clientY - box.top, box.height, HEIGHT * FINE)];
}

pad.addEventListener("pointerdown", (event) => {
  if (event.button > 0 || (pen.isDown && !pen.byKeys)) return;
  pad.setPointerCapture(event.pointerId);
  Object.assign(pen, { byKeys: false, pointer: event.pointerId });
  putDown(...place(event));
});
pad.addEventListener("pointermove", (event) => {
  if (pen.isDown && !pen.byKeys && event.pointerId === pen.pointer) move((event.getCoalescedEvents?.() ?? [event]).concat(event).map(place));
});
for (const name of ["pointerup", "pointercancel"]) {
  pad.addEventListener(name, (event) => {
    if (pen.byKeys || !pen.isDown || event.pointerId !== pen.pointer) return;
    lift();
    tell("finished");
  });
}

function showPen() {
  const mark = $("pen");
  mark.hidden = !pen.byKeys || document.activeElement !== pad;
  mark.classList.toggle("down", pen.isDown);
  mark.style.left = `${(100 * pen.x) / (WIDTH * FINE)}%`;
  mark.style.top = `${(100 * pen.y) / (HEIGHT * FINE)}%`;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
pad.addEventListener("keydown", (event) => {
  const arrow = ARROWS[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey || (!arrow && event.key !== " ")) return;
  event.preventDefault();
  pen.byKeys = true;
  if (arrow) {
    const far = FINE * (event.shiftKey ? 4 : 1), on = (at, most) => Math.max(FINE >> 1, Math.min(most - (FINE >> 1), at));
    const to = [on(pen.x + far * arrow[0], WIDTH * FINE), on(pen.y + far * arrow[1], HEIGHT * FINE)];
    if (pen.isDown) move([to]);
    else Object.assign(pen, { x: to[0], y: to[1] });
  } else {
    if (pen.isDown) lift();
    else putDown(pen.x, pen.y);
    announce(say(pen.isDown ? "pen.down" : "pen.up", Math.floor(pen.x / FINE) + 1, Math.floor(pen.y / FINE) + 1));
    if (!pen.isDown) tell("finished");
  }
  showPen();
});
for (const name of ["focus", "blur"]) pad.addEventListener(name, () => {
  if (name === "blur" && pen.byKeys && pen.isDown) {
    lift();
    tell("finished");
  }
  if (name === "focus" && pad.matches(":focus-visible")) pen.byKeys = true;
  showPen();
});

function undo() {
  if (!past.length) return;
  lift();
  Object.assign(drawing, past.pop());
  redraw();
}

// Put something else on the pad: strokes, or a drawing of the data.
function replace(strokes, given) {
  change();
  Object.assign(drawing, { strokes, given });
  redraw();
}

function clear() {
  if (!isEmpty()) replace([], null);
}

$("undo").addEventListener("click", undo);
$("clear").addEventListener("click", clear);

// What it is meant to be.
data.classes.forEach((_, k) => {
  const radio = element("input", { type: "radio", name: "class", value: k, checked: k === 0 });
  radio.addEventListener("change", () => label(k));
  $("classes").append(element("label", {}, radio, element("span")));
});

function label(k) {
  drawing.label = k;
  $("classes").querySelectorAll("input")[k].checked = true;
  tell("labelled");
}

on("spoken", () => {
  $("classes").querySelectorAll("label span").forEach((span, k) => (span.textContent = capital(called(k))));
  stay();
});
on("themed", showPad);
on("spoken labelled", () => {
  const name = `hint.${data.classes[drawing.label]}`;
  $("hint").textContent = name in data.words[language] ? say(name) : say("hint", called(drawing.label));
});
