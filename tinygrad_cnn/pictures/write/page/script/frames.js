// The frames: open groups, each laid out by itself, as one node of what it stands in. So what is closed costs nothing,
// and what is opened moves nothing but what stands around it. The picture as a whole is the frame `null`.
//
// An edge that crosses borders is laid out in parts. It passes a border at a port: an inlet above or an outlet below.
// In the direction of the layout it runs from `upper` to `lower`; cotangents flow against it, from the lower end.

function frames() {
  const { stands, drawn, edges } = visible();
  const steps = new Map(data.groups.map((group) => [group.id, 0]));
  for (const [id, group] of drawn) if (group && boxes.get(id).is_step) steps.set(group, steps.get(group) + 1);
  for (const group of [...data.groups].reverse()) if (group.parent) steps.set(group.parent, steps.get(group.parent) + steps.get(group.id));
  const framed = (id) => ancestors(id).find((group) => steps.get(group.id) >= group.fewest)?.id ?? null;

  const all = new Map(), frame = (id) => {
    if (!all.has(id)) {
      const made = { id, parent: null, depth: 0, boxes: [], frames: [], signs: new Map(), parts: new Map(), inlets: new Map(), outlets: new Map() };
      all.set(id, made);
      if (id !== null) {
        made.parent = frame(framed(groups.get(id).parent ?? null));
        made.depth = made.parent.depth + 1;
        made.parent.frames.push(made);
      }
    }
    return all.get(id);
  };
  frame(null);
  const within = new Map();
  for (const [id, group] of drawn) {
    const around = frame(framed(group));
    within.set(id, around);
    around.boxes.push(boxes.get(id));
  }
  for (const one of all.values()) one.boxes.sort((a, b) => a.order - b.order);

  const beside = showsCards() ? new Map() : guests(edges);
  for (const edge of edges) edge.route = route(edge, within, beside);
  return { stands, edges, all, beside, cards: showsCards() };
}

// The parts of an edge, in the frames that it passes.
function route(edge, within, beside) {
  const { tail, head, flow } = edge;
  if (flow === "again" || flow === "earlier") { // from a sign that names what another iteration computed
    const frame = within.get(head), sign = `i${tail}`;
    frame.signs.set(sign, tail);
    const isUp = flow === "earlier";
    return [part(frame, isUp ? head : sign, isUp ? sign : head, flow, isUp ? "back" : "forward")];
  }
  const isUp = flow === "backward" && !beside.has(boxes.get(head).of);
  const upper = isUp ? head : tail, lower = isUp ? tail : head, arrow = isUp ? "back" : "forward";
  const around = [];
  for (let frame = within.get(upper); frame; frame = frame.parent) around.push(frame);
  const below = [];
  let common = within.get(lower);
  for (; !around.includes(common); common = common.parent) below.push(common);
  const above = around.slice(0, around.indexOf(common));
  let from = upper, key = `${upper} ${flow}`;
  const parts = [];
  for (const frame of above) {
    const port = `o${key}`;
    frame.outlets.set(port, frame.outlets.size);
    parts.push(part(frame, from, port, flow, parts.length || arrow === "forward" ? "none" : "back"));
    from = [frame.id, port];
  }
  const inner = below.reverse(), to = inner.length ? [inner[0].id, `i${key}`] : lower;
  const alone = (isFirst, isLast) => (arrow === "forward" ? (isLast ? "forward" : "none") : isFirst ? "back" : "none");
  parts.push(part(common, from, to, flow, alone(!parts.length, !inner.length)));
  inner.forEach((frame, i) => {
    const port = `i${key}`;
    frame.inlets.set(port, frame.inlets.size);
    const next = inner[i + 1] ? [inner[i + 1].id, port] : lower;
    parts.push(part(frame, port, next, flow, alone(false, i === inner.length - 1)));
  });
  return parts;
}

// A part runs between boxes, own ports, and [frame, port] of the frames within; parts of several edges can be the same.
function part(frame, from, to, flow, arrow) {
  const key = JSON.stringify([from, to, flow, arrow]);
  if (!frame.parts.has(key)) frame.parts.set(key, { frame, key, from, to, flow, arrow });
  return frame.parts.get(key);
}

// The parameters and constants that one step alone takes, where it takes no other such: they stand beside that step.
function guests(edges) {
  const takers = new Map(), count = new Map();
  for (const edge of edges) {
    if (edge.flow !== "forward" && edge.flow !== "again") continue;
    takers.has(edge.tail) ? takers.get(edge.tail).add(edge.head) : takers.set(edge.tail, new Set([edge.head]));
  }
  const taken = [...takers]
    .filter(([id, heads]) => heads.size === 1 && ["parameter", "constant"].includes(boxes.get(id).kind))
    .map(([id, heads]) => [id, [...heads][0]]);
  for (const [, taker] of taken) count.set(taker, (count.get(taker) ?? 0) + 1);
  return new Map(taken.filter(([, taker]) => count.get(taker) === 1));
}
