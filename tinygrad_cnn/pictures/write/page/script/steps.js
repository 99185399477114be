const steps = data.boxes
  .filter((box) => box.numbered && (box.kind === "primitive" || box.kind === "cotangent"))
  .sort((a, b) => a.order - b.order);

// What is lit: the step that one is at and what it is given, and what was clicked at.

function mark() {
  for (const node of drawing.querySelectorAll(".here,.given,.chosen,.lit,.faded,.back"))
    node.classList.remove("here", "given", "chosen", "lit", "faded", "back");
  if (chosen && shownAs(chosen)) element(shownAs(chosen))?.classList.add("chosen");
  if (at < 0) return;
  const step = steps[at], here = shownAs(step.id), done = new Set();
  for (const box of data.boxes) {
    const shown = shownAs(box.id);
    if (shown && (box.order <= step.order || (box.stays && box.kind !== "cotangent"))) done.add(shown);
  }
  for (const node of drawing.querySelectorAll(".node")) if (!done.has(node.id)) node.classList.add("faded");
  const given = new Set([...into(step).map((edge) => edge.tail), ...needs(step)].map(shownAs));
  for (const id of given) element(id)?.classList.add("given");
  for (const edge of drawing.querySelectorAll(".edge")) {
    const [tail, head, flow] = edge.id.split("|");
    if (head === here && given.has(tail) && flow !== "tie") edge.classList.add("lit");
    if (!done.has(tail) || !done.has(head)) edge.classList.add("faded");
  }
  const node = element(here);
  node?.classList.add("here");
  if (step.kind === "cotangent") node?.classList.add("back");
  keepInSight(node);
}

function into(box) {
  return data.edges
    .filter((edge) => edge.head === box.id && edge.flow !== "tie" && !edge.detail)
    .sort((a, b) => a.position - b.position);
}

function needs(box) {
  return box.rule ? box.rule.needs : [];
}

function outOf(box) {
  return data.edges.filter((edge) => edge.tail === box.id && edge.flow !== "tie" && edge.flow !== "use" && !edge.detail);
}
