// Which box is drawn for a box, and in which group, while some groups are closed.

function ancestors(id) {
  const found = [];
  for (let group = groups.get(id); group; group = groups.get(group.parent)) found.push(group);
  return found;
}

function outermost(id) {
  return ancestors(id).filter((group) => closed.has(group.id)).pop();
}

function standing(box) {
  const group = outermost(box.group);
  if (!group) return { id: box.id, group: box.group };
  const id = box.stays && group.kind !== "part" ? box.id : group[box.half];
  return id ? { id, group: group.parent } : null;
}

function visible() {
  const stands = new Map(), drawn = new Map(), edges = new Map();
  for (const box of data.boxes) {
    const stand = standing(box);
    stands.set(box.id, stand && stand.id);
    if (stand) drawn.set(stand.id, stand.group ?? null);
  }
  for (const edge of data.edges) {
    if (edge.detail && outermost(edge.detail)) continue;
    if (edge.short && !outermost(edge.short)) continue;
    const tail = stands.get(edge.tail), head = stands.get(edge.head);
    if (!tail || !head || (tail === head && edge.tail !== edge.head)) continue;
    const whole = tail === edge.tail && head === edge.head;
    const key = [tail, head, edge.flow, whole ? edge.position : -1].join(" ");
    if (!edges.has(key)) edges.set(key, { ...edge, tail, head });
  }
  return { drawn, edges: [...edges.values()] };
}
