const steps = data.boxes
  .filter((box) => box.numbered && (box.kind === "primitive" || box.kind === "cotangent"))
  .sort((a, b) => a.order - b.order);

// Which step of which half one is at.
function progress() {
  const firstBack = steps.findIndex((step) => step.kind === "cotangent"), forward = firstBack < 0 ? steps.length : firstBack;
  return at < forward ? { half: "Forward", count: `${at + 1} of ${forward}` } : { half: "Backward", count: `${at - forward + 1} of ${steps.length - forward}` };
}

// What is lit: the step that one is at and what it is given, and what was clicked at.

function mark() {
  const { half, count } = progress();
  $("at").textContent = at < 0 ? "→ steps through the graph" : `${half} ${count}`;
  if (!shown) return;
  for (const node of drawing.querySelectorAll(".here,.given,.chosen,.lit,.faded,.back"))
    node.classList.remove("here", "given", "chosen", "lit", "faded", "back");
  if (chosen) element(shownAs(chosen))?.classList.add("chosen");
  if (at < 0) return;
  const step = steps[at], here = shownAs(step.id), done = new Set();
  for (const box of data.boxes)
    if (box.order <= step.order || (box.stays && box.kind !== "cotangent")) done.add(shown.scene.stands.get(box.id));
  for (const [id, node] of drawnNodes) if (boxes.has(id) && !done.has(id)) node.classList.add("faded");
  const given = new Set([...into(step).map((edge) => edge.tail), ...needs(step)].map(shownAs));
  for (const id of given) element(id)?.classList.add("given");
  for (const { made, edge: { tail, head, flow } } of drawnEdges.values()) {
    if (head === here && given.has(tail) && flow !== "tie") made.classList.add("lit");
    if (!done.has(tail) || !done.has(head)) made.classList.add("faded");
  }
  const node = element(here);
  node?.classList.add("here");
  if (step.kind === "cotangent") node?.classList.add("back");
  keepInSight(here);
}

function into(box) {
  return (edgesInto.get(box.id) ?? [])
    .filter((edge) => edge.flow !== "tie" && !edge.detail)
    .sort((a, b) => a.position - b.position);
}

function needs(box) {
  return box.rule ? box.rule.needs : [];
}

function outOf(box) {
  return (edgesOutOf.get(box.id) ?? []).filter((edge) => edge.flow !== "tie" && edge.flow !== "use" && !edge.detail);
}
