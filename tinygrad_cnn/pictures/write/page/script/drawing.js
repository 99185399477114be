// The drawing: an SVG of four layers, in which what stays keeps its element, and moves.

const SVG = "http://www.w3.org/2000/svg";
const still = matchMedia("(prefers-reduced-motion: reduce)");
const layers = {};
const drawnNodes = new Map(), drawnFrames = new Map(), drawnEdges = new Map(); // elements, by id
let shown = null; // the layout that is drawn
let latest = 0;

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function prepare() {
  drawing = svg("svg", { role: "group", "aria-label": `The graph of ${data.title}` });
  layers.all = svg("g");
  for (const name of ["frames", "edges", "nodes", "titles"]) layers.all.append((layers[name] = svg("g", { class: name })));
  drawing.append(layers.all);
  graph.prepend(drawing);
}

// Draw what is open now. `keep` = {from, id}: the top centre of what `id` names now comes to that of the place `from`.
// Or `keep` = {by}: all is shifted by this. Without it, what is in the middle of the window stays there; and if nothing was drawn, all of it is in sight.
// Resolves to whether it is drawn: what is asked for later comes instead.
async function draw(keep) {
  const turn = ++latest;
  graph.setAttribute("aria-busy", "true");
  root.dataset.busy = "true";
  let next;
  try {
    next = await layout(frames());
  } catch (error) {
    panel.textContent = `This browser cannot lay out the graph: that needs WebAssembly and workers (${error}).`;
    throw error;
  }
  if (turn !== latest) return false;
  const isFirst = !shown, was = shown, [from, to] = anchor(keep, next);
  shift(next, keep?.by ?? (from ? between(from, to, keep && next.frames.has(keep.id)) : [0, 0]));
  shown = next;
  put(was);
  isFitted = false;
  if (isFirst || !from) fit();
  graph.removeAttribute("aria-busy");
  delete root.dataset.busy;
  mark();
  tell("redrawn", drawing);
  return true;
}

function placeIn(layout, id) {
  return layout.nodes.get(id) ?? layout.frames.get(id) ?? null;
}

function anchor(keep, next) {
  if (!shown) return [null, null];
  if (keep?.from && placeIn(next, keep.id)) return [keep.from, placeIn(next, keep.id)];
  const middle = fromScreen(graph.clientWidth / 2, graph.clientHeight / 2);
  let best = null, least = Infinity;
  for (const [id, one] of shown.nodes) {
    const same = next.nodes.get(id);
    const far = Math.hypot(one.x + one.width / 2 - middle[0], one.y + one.height / 2 - middle[1]);
    if (same && far < least) [best, least] = [[one, same], far];
  }
  return best ?? [null, null];
}

const parsed = new Map(); // what Graphviz wrote, by its text

function statementOf(one) {
  if (!parsed.has(one.svg)) {
    if (parsed.size > 50) parsed.clear();
    parsed.set(one.svg, new DOMParser().parseFromString(one.svg, "image/svg+xml"));
  }
  return parsed.get(one.svg).getElementById(one.drawnAs);
}

function put(was) {
  if (was && was.scene.cards !== shown.scene.cards) { // each box looks different then
    for (const made of drawnNodes.values()) made.remove();
    drawnNodes.clear();
  }
  const { nodes, frames: framed, edges } = shown, moves = was && !still.matches;
  for (const [id, made] of drawnNodes) if (!nodes.has(id)) { made.remove(); drawnNodes.delete(id); }
  for (const [id, made] of drawnFrames) if (!framed.has(id)) { made.frame.remove(); made.title.remove(); drawnFrames.delete(id); }

  for (const [id, at] of [...framed].sort((a, b) => a[1].depth - b[1].depth)) {
    const known = drawnFrames.get(id), made = known ?? madeFrame(id);
    drawnFrames.set(id, made);
    place(made.title, at, known && moves && was.frames.get(id), moves);
    const box = made.frame.firstElementChild;
    for (const key of ["x", "y", "width", "height"]) box.setAttribute(key, at[key]);
    if (moves) slide(box, ["x", "y", "width", "height"], was.frames.get(id) ?? closedPlace(was, id), at);
    made.title.firstElementChild.setAttribute("width", at.width);
    layers.frames.append(made.frame);
  }
  for (const [id, at] of nodes) {
    const known = drawnNodes.get(id), made = known ?? madeNode(id, at);
    drawnNodes.set(id, made);
    place(made, at, known && moves && was.nodes.get(id), moves);
  }
  putEdges(edges, moves);
  order();
}

// The place of the box that stood for a group that is open now.
function closedPlace(was, id) {
  const group = groups.get(id);
  return was.nodes.get(group.forward) ?? was.nodes.get(group.backward);
}

const WHILE = { duration: 260, easing: "ease-in-out" };

function place(made, at, from, moves) {
  made.setAttribute("transform", `translate(${at.x} ${at.y})`);
  if (from && (from.x !== at.x || from.y !== at.y))
    made.animate([from, at].map(({ x, y }) => ({ transform: `translate(${x}px, ${y}px)` })), WHILE);
  else if (moves && !from) made.animate([{ opacity: 0 }, { opacity: 0 }, { opacity: 1 }], WHILE);
}

function slide(made, names, from, to) {
  if (!from || names.every((name) => from[name] === to[name])) return;
  made.animate([from, to].map((at) => Object.fromEntries(names.map((name) => [name, `${at[name]}px`]))), WHILE);
}

function madeNode(id, at) {
  const found = statementOf(at), box = boxes.get(id);
  const inner = svg("g", { transform: `translate(${-at.corner[0]} ${-at.corner[1]})` });
  const tip = svg("title");
  tip.textContent = found.querySelector("a")?.getAttributeNS("http://www.w3.org/1999/xlink", "title") ?? "";
  const drawn = [...found.querySelectorAll("path, polygon, polyline, ellipse, text, image")].map((part) => {
    const copy = document.importNode(part);
    if (part.localName === "text") copy.textContent = part.textContent;
    return copy;
  });
  for (const picture of drawn.filter((part) => part.localName === "image")) {
    const of = (picture.getAttributeNS("http://www.w3.org/1999/xlink", "href") ?? picture.getAttribute("href")).replace(/\.png$/, "");
    picture.removeAttributeNS("http://www.w3.org/1999/xlink", "href");
    picture.setAttribute("href", `data:image/png;base64,${boxes.get(of).value.picture.png}`);
    picture.dataset.box = of;
  }
  inner.append(...drawn);
  const look = box?.half === "forward" && shown.scene.cards ? `card ${box.kind}` : null;
  const made = svg("g", { id, class: look ? `node ${look}` : box ? found.getAttribute("class") : "sign" }, tip, inner);
  layers.nodes.append(made);
  if (!box) return made;
  made.setAttribute("role", "button");
  made.setAttribute("tabindex", "-1");
  made.setAttribute("aria-label", nameOf(box));
  if (isOpener(id)) {
    made.setAttribute("aria-expanded", "false");
    const sign = svg("g", { class: "opener", transform: `translate(${at.width - 2} 2)` });
    sign.append(svg("circle", { r: 5.5 }), svg("line", { x1: -2.8, x2: 2.8 }), svg("line", { y1: -2.8, y2: 2.8 }));
    made.append(sign);
  }
  return made;
}

function madeFrame(id) {
  const group = groups.get(id), { name, more } = titleOf(group);
  const frame = svg("g", { id, class: `cluster ${group.kind}` }, svg("rect", { rx: 6 }));
  const words = svg("text", { x: 22, y: 15 }), small = svg("tspan", { class: "small", dx: 8 });
  words.append(svg("tspan", group.kind === "scope" ? { "font-weight": "bold" } : {}), small);
  words.firstElementChild.textContent = name;
  small.textContent = more;
  const title = svg("g", { class: "title", "data-group": id }, svg("rect", { height: TITLE, rx: 6 }), words);
  if (group.forward || group.backward) {
    title.append(svg("g", { class: "opener", transform: "translate(12 11)" }, svg("circle", { r: 5.5 }), svg("line", { x1: -2.8, x2: 2.8 })));
    for (const [key, value] of Object.entries({ role: "button", tabindex: -1, "aria-expanded": "true", "aria-label": `${name}, open; Enter closes it` }))
      title.setAttribute(key, value);
  }
  layers.titles.append(title);
  return { frame, title };
}

// Elements stand in the order in which one reads them; what has its place already is not moved, for it may have the focus.
function order() {
  const wanted = reading().filter((id) => drawnNodes.has(id)).map((id) => drawnNodes.get(id));
  let after = null;
  for (const made of wanted.reverse()) {
    if (made.nextElementSibling !== after) layers.nodes.insertBefore(made, after);
    after = made;
  }
}

// Edges. One whose way is as before is left alone.

function putEdges(edges, moves) {
  const left = new Set(drawnEdges.keys()), count = new Map();
  for (const { edge, curves, start, end } of edges) {
    const id = `${edge.tail}|${edge.head}|${edge.flow}`, nth = count.get(id) ?? 0;
    count.set(id, nth + 1);
    const key = `${id}|${nth}`, way = wayOf(curves);
    left.delete(key);
    const known = drawnEdges.get(key);
    if (known && known.way === way) continue;
    known?.made.remove();
    const made = svg("g", { id, class: `edge ${edge.flow} ${edge.change ?? ""}`.trim() }, svg("path", { d: way }));
    for (const [tip, from] of [[start, curves[0][0]], [end, curves.at(-1).at(-1)]]) if (tip) made.append(arrowhead(from, tip, edge.flow));
    layers.edges.append(made);
    if (moves) made.animate([{ opacity: 0 }, { opacity: 0 }, { opacity: 1 }], WHILE);
    drawnEdges.set(key, { made, way, edge });
  }
  for (const key of left) {
    drawnEdges.get(key).made.remove();
    drawnEdges.delete(key);
  }
}

function wayOf(curves) {
  const write = (point) => point.map((x) => Math.round(100 * x) / 100).join(",");
  return curves.map(([first, ...rest], i) => `${i ? "L" : "M"}${write(first)}C${rest.map(write).join(" ")}`).join("");
}

function arrowhead([x0, y0], [x, y], flow) {
  const length = Math.hypot(x - x0, y - y0) || 1, px = -(y - y0) / length * 2, py = (x - x0) / length * 2;
  const points = flow === "use" ? [[x0 + px, y0 + py], [x, y], [x0 - px, y0 - py], [x, y]] : [[x0 + px, y0 + py], [x, y], [x0 - px, y0 - py]];
  return svg("polygon", { points: points.map((p) => p.map((v) => v.toFixed(2)).join(",")).join(" ") });
}

function element(id) {
  return drawnNodes.get(id) ?? drawnFrames.get(id)?.frame ?? null;
}

// The box that is drawn for a box, or null.
function shownAs(id) {
  if (drawnNodes.has(id)) return id;
  return shown?.scene.stands.get(id) ?? null;
}
