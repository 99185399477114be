// Which box is drawn for a box, and in which group, while some groups are closed: the rule of `view/closed_groups.py`.

const indexed = (edges, end) => {
  const found = new Map();
  for (const edge of edges) found.has(edge[end]) ? found.get(edge[end]).push(edge) : found.set(edge[end], [edge]);
  return found;
};
const edgesInto = indexed(data.edges, "head"), edgesOutOf = indexed(data.edges, "tail");
const closedInto = new Map(); // the group that is closed into a box
for (const group of data.groups)
  for (const id of [group.forward, group.backward]) if (id && !(group.computes && id === group.forward)) closedInto.set(id, group);

const cotangentOf = new Map([...boxes.values()].filter((box) => box.of).map((box) => [box.of, box]));

function ancestors(id) {
  const found = [];
  for (let group = groups.get(id); group; group = groups.get(group.parent)) found.push(group);
  return found;
}

// The closed group that is drawn as a box, or null.
function closedAs(id) {
  const group = closedInto.get(id);
  return group && closed.has(group.id) ? group : null;
}

// Whether this box is drawn in the place of a closed group, which a click on it opens.
function isOpener(id) {
  const group = closedAs(id);
  return Boolean(group && !group.computes);
}

function areRulesOpen() {
  return rules.some((group) => !closed.has(group.id));
}

// What is drawn: `stands` has the box that is drawn for each box, or null; `drawn` the group of each box that is drawn.
function visible() {
  const outermost = new Map(); // the outermost closed group around each group, or itself
  for (const group of data.groups) outermost.set(group.id, outermost.get(group.parent) ?? (closed.has(group.id) ? group : null));
  const around = (id) => outermost.get(id) ?? null;
  const stands = new Map(), drawn = new Map(), edges = new Map();
  for (const box of data.boxes) {
    const group = around(box.group), id = !group || (box.stays && group.kind !== "part") ? box.id : group[box.half] ?? null;
    stands.set(box.id, id);
    if (id) drawn.set(id, group ? group.parent : box.group ?? null);
  }
  for (const edge of data.edges) {
    if (edge.detail && around(edge.detail)) continue;
    if (edge.short && !around(edge.short)) continue;
    const tail = stands.get(edge.tail), head = stands.get(edge.head);
    if (!tail || !head || (tail === head && edge.tail !== edge.head)) continue;
    const whole = tail === edge.tail && head === edge.head;
    const key = [tail, head, edge.flow, whole ? edge.position : -1].join(" ");
    if (!edges.has(key)) edges.set(key, { ...edge, tail, head });
  }
  const found = { stands, drawn, edges: [...edges.values()] };
  return showsCards() ? asCards(found) : found;
}

// A poster shows cards, as `view/poster.py` makes them, until rules are open: then its two halves stand side by side.
function showsCards() {
  return data.is_poster && !areRulesOpen();
}

// Where what comes from outside stands: in a group whose card shows it, when that is closed, and not in others.
function outside(id, group) {
  const shows = (one) => !one.forward || boxes.get(one.forward).within?.includes(id);
  return ancestors(group).find(shows)?.id ?? null;
}

// What is drawn, with cards instead of what is within them.
function asCards({ stands, drawn, edges }) {
  const hosts = new Map(), gradients = new Set();
  for (const id of drawn.keys()) for (const leaf of boxes.get(id).within ?? []) hosts.set(leaf, id);
  const card = (id) => {
    const box = boxes.get(id), value = box.half === "backward" ? box.of : id;
    return value && drawn.has(value) ? hosts.get(value) ?? value : null;
  };
  for (const id of drawn.keys()) if (boxes.get(id).half === "backward" && hosts.has(boxes.get(id).of)) gradients.add(id);
  const kept = new Map(), between = new Map();
  for (const edge of edges) {
    const tail = card(edge.tail), head = card(edge.head);
    if (!tail || !head || tail === head || !["forward", "backward"].includes(edge.flow) || gradients.has(edge.head)) continue;
    between.set([tail, head, edge.flow].join(" "), { ...edge, tail, head });
  }
  for (const [id, group] of drawn) if (card(id) === id) kept.set(id, boxes.get(id).stays ? outside(id, group) : group);
  for (const [id, drawnAs] of stands) if (drawnAs) stands.set(id, card(drawnAs));
  return { stands, drawn: kept, edges: [...between.values()] };
}
