// What is in sight, and how large: `view` is where the drawing's origin is in the window, and its scale.

const view = { x: 0, y: 0, scale: 1 };
const LEGIBLE = 0.6; // the scale at which writing can still be read
const LEAST = 0.02, MOST = 40;

let isFitted = false; // the whole graph is in sight, and stays so when the window is resized

function look(x, y, scale) {
  isFitted = false;
  Object.assign(view, { x, y, scale });
  layers.all.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
  tell("moved", view);
}

function fromScreen(x, y) {
  return [(x - view.x) / view.scale, (y - view.y) / view.scale];
}

// Larger by a factor, about a point of the window.
function magnify(by, x = graph.clientWidth / 2, y = graph.clientHeight / 2) {
  const scale = Math.max(LEAST, Math.min(MOST, view.scale * by)), [left, top] = fromScreen(x, y);
  look(x - left * scale, y - top * scale, scale);
}

function extent(places) {
  const all = [...places];
  const x = Math.min(...all.map((one) => one.x)), y = Math.min(...all.map((one) => one.y));
  return {
    x, y, width: Math.max(...all.map((one) => one.x + one.width)) - x, height: Math.max(...all.map((one) => one.y + one.height)) - y,
  };
}

const AROUND = 14; // pixels between the picture and the window's edge

// All of it, but not larger than it is.
function fit() {
  const all = extent([...shown.nodes.values(), ...shown.frames.values()]);
  const wide = graph.clientWidth - 2 * AROUND, high = graph.clientHeight - 2 * AROUND;
  const scale = Math.min(1, wide / all.width, high / all.height);
  look(AROUND + (wide - scale * all.width) / 2 - scale * all.x, AROUND + (high - scale * all.height) / 2 - scale * all.y, scale);
  isFitted = true;
}

new ResizeObserver(() => { if (isFitted) fit(); }).observe(graph);

// Bring a box or a frame into sight, large enough to be read.
function keepInSight(id) {
  const one = id && placeIn(shown, id);
  if (!one) return;
  const wide = graph.clientWidth, high = graph.clientHeight;
  const most = Math.min(1, 0.95 * wide / one.width); // at which it is in sight
  if (view.scale < Math.min(LEGIBLE, most)) magnify(most / view.scale);
  const left = view.x + view.scale * one.x, top = view.y + view.scale * one.y;
  const width = view.scale * one.width, height = view.scale * one.height;
  if (left >= 0 && top >= 0 && left + width <= wide && top + height <= high) return;
  const x = width > wide ? AROUND : (wide - width) / 2, y = height > high ? AROUND : (high - height) / 2;
  look(x - view.scale * one.x, y - view.scale * one.y, view.scale);
}

// Bring a box to the middle, large enough to be read.
function zoomTo(id) {
  const one = id && placeIn(shown, id);
  if (!one) return;
  const scale = Math.max(view.scale, Math.min(1, 0.95 * graph.clientWidth / one.width));
  look(graph.clientWidth / 2 - scale * (one.x + one.width / 2), graph.clientHeight / 2 - scale * (one.y + one.height / 2), scale);
}

// Mouse, pen and fingers: one drags, two pinch. What is not dragged is a click, which `controls.js` answers.

const pointers = new Map();
let dragged = false;

function watchPointers() {
  const at = (event) => {
    const outer = graph.getBoundingClientRect();
    return [event.clientX - outer.left, event.clientY - outer.top];
  };
  graph.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("#legend")) return;
    if (!pointers.size) dragged = false;
    pointers.set(event.pointerId, { first: at(event), last: at(event) });
  });
  graph.addEventListener("pointermove", (event) => {
    const known = pointers.get(event.pointerId);
    if (!known) return;
    const now = at(event), before = known.last;
    if (!dragged && pointers.size < 2 && Math.hypot(now[0] - known.first[0], now[1] - known.first[1]) < 5) return;
    if (!dragged) for (const id of pointers.keys()) graph.setPointerCapture(id);
    dragged = true;
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1].last;
    known.last = now;
    if (!other) return look(view.x + now[0] - before[0], view.y + now[1] - before[1], view.scale);
    const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
    const middle = (point) => [(point[0] + other[0]) / 2, (point[1] + other[1]) / 2];
    const [x0, y0] = middle(before), [x1, y1] = middle(now);
    magnify(apart(now) / apart(before), x0, y0);
    look(view.x + x1 - x0, view.y + y1 - y0, view.scale);
  });
  for (const name of ["pointerup", "pointercancel"]) graph.addEventListener(name, (event) => pointers.delete(event.pointerId));
  graph.addEventListener("wheel", (event) => {
    if (event.target.closest("#legend")) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    magnify(Math.exp(-Math.max(-300, Math.min(300, event.deltaY * lines)) / (event.ctrlKey ? 150 : 500)), ...at(event));
  }, { passive: false });
}
