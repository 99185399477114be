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
  return { stands, drawn, edges: [...edges.values()] };
}
