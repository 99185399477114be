// Where everything stands: frames are laid out from the inside out, and then put into one another.

const MARGIN = 8, TITLE = 22; // around what is in a frame, and above it
const above = (frame) => (frame.inlets.size ? 4 : TITLE), below = (frame) => (frame.outlets.size ? 0 : MARGIN); // inlets leave a space

async function layout(scene) {
  const sizes = new Map(), inner = new Map();
  const deepest = [...scene.all.values()].sort((a, b) => b.depth - a.depth);
  for (let depth = deepest[0].depth; depth >= 0; depth--)
    await Promise.all(deepest.filter((frame) => frame.depth === depth).map(async (frame) => {
      const found = read(frame, await laidOut(dotOf(scene, frame, sizes), pictures(scene, frame)));
      inner.set(frame.id, found);
      if (frame.id !== null) sizes.set(frame.id, sizeOf(frame, found));
    }));
  return composed(scene, inner, sizes);
}

function pictures(scene, frame) {
  const within = (box) => [box, ...(box.within ?? []).map((id) => boxes.get(id))].flatMap((one) => [one, cotangentOf.get(one.id)]);
  return (scene.cards ? frame.boxes.flatMap(within).filter(Boolean) : frame.boxes)
    .filter((box) => box.value && box.value.picture)
    .map((box) => ({ name: `${box.id}.png`, width: box.value.picture.width, height: box.value.picture.height }));
}

// What Graphviz says, with y downwards: nodes by name, and the points of parts by their key.
function read(frame, { svg, places }) {
  const [, , width, height] = places.bb.split(",").map(Number);
  const point = (text) => { const [x, y] = text.split(",").map(Number); return [x, height - y]; };
  const nodes = new Map(), names = [];
  for (const one of places.objects ?? []) {
    names[one._gvid] = one.name;
    if (one.pos) nodes.set(one.name, { at: point(one.pos), width: 72 * one.width, height: 72 * one.height });
  }
  const keys = [...frame.parts.keys()];
  const lines = new Map();
  for (const edge of places.edges ?? []) {
    const line = { points: [], start: null, end: null };
    for (const word of (edge.pos ?? "").split(" ")) {
      if (word.startsWith("s,")) line.start = point(word.slice(2));
      else if (word.startsWith("e,")) line.end = point(word.slice(2));
      else if (word) line.points.push(point(word));
    }
    lines.set(keys[edge.id], line);
  }
  return { svg, width, height, nodes, lines };
}

function sizeOf(frame, { width, height, nodes }) {
  const title = titleOf(groups.get(frame.id)), wide = Math.max(width, widthOf(title.name, 700) + widthOf(title.more, 400) + 30);
  const size = { width: Math.ceil(wide + 2 * MARGIN), height: Math.ceil(height + above(frame) + below(frame)) };
  size.left = (size.width - width) / 2;
  size.ports = [...frame.inlets.keys(), ...frame.outlets.keys()].map((port) => ({ port, x: size.left + nodes.get(`port ${portName(frame, port)}`).at[0] }));
  return size;
}

function composed(scene, inner, sizes) {
  const origin = new Map([[null, [0, 0]]]); // of what is in a frame
  const frames = new Map(), nodes = new Map();
  for (const frame of [...scene.all.values()].sort((a, b) => a.depth - b.depth)) {
    const [x, y] = origin.get(frame.id), found = inner.get(frame.id);
    for (const box of frame.boxes) nodes.set(box.id, moved(found.nodes.get(box.id), x, y, found, box.id));
    for (const sign of frame.signs.keys()) nodes.set(`${sign}-${frame.id}`, moved(found.nodes.get(sign), x, y, found, sign));
    for (const one of frame.frames) {
      const { at } = found.nodes.get(`frame ${one.id}`), size = sizes.get(one.id);
      const left = x + at[0] - size.width / 2, top = y + at[1] - size.height / 2;
      frames.set(one.id, { x: left, y: top, width: size.width, height: size.height, depth: one.depth });
      origin.set(one.id, [left + size.left, top + above(one)]);
    }
  }
  const edges = scene.edges
    .filter((edge) => edge.flow !== "tie" || !boxes.get(edge.tail).stays)
    .map((edge) => ({ edge, ...joined(edge.route.map((one) => shifted(inner.get(one.frame.id).lines.get(one.key), origin.get(one.frame.id)))) }));
  return { scene, nodes, frames, edges };
}

function moved({ at: [cx, cy], width, height }, x, y, found, drawnAs) {
  const left = cx - width / 2, top = cy - height / 2;
  return { x: x + left, y: y + top, width, height, drawnAs, svg: found.svg, corner: [left, top - found.height] };
}

function shifted({ points, start, end }, [dx, dy]) {
  const shift = (point) => point && [point[0] + dx, point[1] + dy];
  return { points: points.map(shift), start: shift(start), end: shift(end) };
}

function joined(lines) {
  return { curves: lines.map((line) => line.points), start: lines[0].start, end: lines[lines.length - 1].end };
}

// By how much to shift a layout for the top centre of a place in it to come to that of a place in the window; what is
// opened is moved aside where it would stand out of the window, or of its left, where its title is.
function between(from, to, isOpened) {
  let x = from.x + from.width / 2 - to.width / 2;
  if (isOpened) {
    const left = fromScreen(AROUND, 0)[0], right = fromScreen(graph.clientWidth - AROUND, 0)[0];
    x = Math.max(left, Math.min(x, right - to.width));
  }
  return [x - to.x, from.y - to.y];
}

function shift(layout, [dx, dy]) {
  const { nodes, frames, edges } = layout;
  layout.by = [dx, dy];
  for (const one of [...nodes.values(), ...frames.values()]) {
    one.x = Math.round(100 * (one.x + dx)) / 100;
    one.y = Math.round(100 * (one.y + dy)) / 100;
  }
  for (const edge of edges) {
    const to = (point) => point && [point[0] + dx, point[1] + dy];
    edge.curves = edge.curves.map((points) => points.map(to));
    edge.start = to(edge.start);
    edge.end = to(edge.end);
  }
}

// The title of a frame, and what follows it in small letters.
function titleOf(group) {
  return { name: group.name, more: [group.kind === "loop" ? group.says ?? "" : "", costOf(group)].filter(Boolean).join("  ") };
}

const ruler = document.createElement("canvas").getContext("2d");
function widthOf(text, weight) {
  ruler.font = `${weight} ${weight === 700 ? 11 : 9}px Arial, Helvetica, "Liberation Sans", sans-serif`;
  return ruler.measureText(text).width;
}
