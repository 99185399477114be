// DOT, of statements that were written beforehand. The rules of `dot.py` hold here too.

function dot() {
  const { drawn, edges } = visible();
  const lines = [data.header];
  const inside = new Map();
  const order = [...drawn].sort((a, b) => boxes.get(a[0]).order - boxes.get(b[0]).order);
  for (const [id, group] of order) inside.set(group, [...(inside.get(group) ?? []), boxes.get(id)]);
  const children = new Map();
  for (const group of data.groups) children.set(group.parent, [...(children.get(group.parent) ?? []), group]);
  const counts = new Map();
  for (const group of [...data.groups].reverse()) {
    const own = (inside.get(group.id) ?? []).filter((box) => box.is_step).length;
    const inner = (children.get(group.id) ?? []).reduce((sum, child) => sum + counts.get(child.id), 0);
    counts.set(group.id, own + inner);
  }
  const waiting = [null];
  while (waiting.length) {
    const item = waiting.pop();
    if (typeof item === "string") { lines.push(item); continue; }
    if (item && counts.get(item.id) >= item.fewest) {
      lines.push(item.dot);
      waiting.push("}");
    }
    for (const box of inside.get(item ? item.id : null) ?? []) lines.push(box.dot);
    for (const child of [...(children.get(item ? item.id : null) ?? [])].reverse()) waiting.push(child);
  }
  const beside = guests(edges);
  for (const edge of edges) lines.push(statement(edge, beside));
  for (const [id] of drawn) {
    const box = boxes.get(id);
    if (box.of && drawn.has(box.of) && (!box.stays || beside.has(box.of))) lines.push(`{rank=same; "${box.of}"; "${id}"}`);
  }
  for (const [leaf, taker] of beside) lines.push(`{rank=same; "${leaf}"; "${taker}"}`);
  return lines.join("\n") + "\n}";
}

function guests(edges) {
  const takers = new Map(), count = new Map();
  for (const edge of edges) {
    if (edge.flow !== "forward" && edge.flow !== "again") continue;
    takers.set(edge.tail, new Set([...(takers.get(edge.tail) ?? []), edge.head]));
  }
  const taken = [...takers]
    .filter(([id, heads]) => heads.size === 1 && ["parameter", "constant"].includes(boxes.get(id).kind))
    .map(([id, heads]) => [id, [...heads][0]]);
  for (const [, taker] of taken) count.set(taker, (count.get(taker) ?? 0) + 1);
  return new Map(taken.filter(([, taker]) => count.get(taker) === 1));
}

function statement(edge, beside) {
  const { tail, head, flow } = edge;
  let look = `id="${tail}|${head}|${flow}" ${data.arrows[flow === "tie" && boxes.get(tail).stays ? "hidden" : flow]}`;
  if (edge.change) look += ` color="${data.changes[edge.change]}" penwidth=2`;
  const endsBeside = beside.has(boxes.get(head).of);
  if (flow === "backward" && !endsBeside) return `"${head}" -> "${tail}" [${look} dir=back]`;
  return `"${tail}" -> "${head}" [${look}]`;
}
