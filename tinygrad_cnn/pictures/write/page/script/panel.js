// The panel: a box, a group, a step, or how to use the page.

function show(...content) {
  panel.replaceChildren(...content);
  panel.scrollTop = 0;
  tell("shown", panel);
}

function showBox(box) {
  const back = box.kind === "cotangent" || box.kind === "rule";
  const group = closedInto.get(box.id);
  const partner = box.of ? boxes.get(box.of) : cotangentOf.get(box.id);
  const picture = image(box, 340);
  const parts = [
    make("h2", box.title),
    make("p", `${box.kind === "scope" ? "scope, closed" : box.kind}${box.count ? `, ${box.count} of them` : ""} · ${shape(box)} · ${size(box.bytes)}`, { class: "kind" }),
  ];
  if (box.formula) parts.push(make("div", box.formula, { class: "formula" }));
  if (box.mark) parts.push(make("p", `${box.mark.flag ? "▶ " : ""}${box.mark.note}`, { class: "wrong" }));
  if (box.change) parts.push(make("p", box.change, { class: "wrong" }));
  if (box.cost) parts.push(make("p", costOf(box), { class: "kind" }));
  if (group && closed.has(group.id)) {
    const open = make("button", "Open it");
    open.addEventListener("click", () => toggle(group.id));
    parts.push(open);
  }
  if (picture) parts.push(make("div", null, { class: "value" }, picture));
  parts.push(...section(back ? "The cotangent" : "The value", ...values(box.value, back)));
  if (box.before) parts.push(...section("Before", ...values(box.before, back)));
  if (partner) parts.push(...section(back ? "Cotangent of" : "Its cotangent", card(partner)));
  if (box.rule) parts.push(...section(back ? "Source of the rule" : "Computed by", box.rule.summary ? make("p", box.rule.summary) : null, source(box.rule)));
  const given = into(box);
  if (given.length) parts.push(...section("From", ...given.map((edge) => card(boxes.get(edge.tail)))));
  const taken = outOf(box);
  if (taken.length) parts.push(...section("To", ...taken.slice(0, 12).map((edge) => card(boxes.get(edge.head)))));
  if (box.line) parts.push(...section("Source line", make("p", box.line)));
  show(...parts);
}

function showGroup(group) {
  const button = make("button", "Close it");
  button.addEventListener("click", () => toggle(group.id));
  const inner = data.boxes.filter((box) => box.kind === "primitive" && ancestors(box.group).includes(group));
  const parts = [make("h2", group.name), make("p", group.says ?? `${group.kind}, ${inner.length} steps`, { class: "kind" })];
  if (group.cost) parts.push(make("p", costOf(group), { class: "kind" }));
  if (group.forward || group.backward) parts.push(button);
  const value = boxes.get(group.forward);
  show(...parts, ...(value ? section("Its output", card(value, "its value")) : []), ...section("Steps", ...inner.slice(0, 40).map((box) => card(box))));
}

function showStep() {
  const box = steps[at], back = box.kind === "cotangent";
  const { half, count } = progress();
  const parts = [
    make("p", `${half}, step ${count}`, { class: "direction" + (back ? " back" : "") }),
    make("h2", box.title),
  ];
  const given = into(box);
  if (back) {
    const coming = given.filter((edge) => edge.flow === "backward" || edge.flow === "earlier");
    parts.push(make("div", box.primitive === "seed" ? "the derivative of the result with respect to itself: 1" : box.primitive, { class: "formula" }));
    parts.push(...section("Incoming cotangent", ...coming.map((edge) => card(boxes.get(edge.tail)))));
    parts.push(...section("Values that the rule reads", ...needs(box).map((id) => card(boxes.get(id)))));
    if (box.rule) parts.push(...section("Source of the rule", source(box.rule)));
    parts.push(...section("Outgoing cotangent", card(box)));
  } else {
    parts.push(make("div", box.formula, { class: "formula" }));
    if (box.rule && box.rule.summary) parts.push(make("p", box.rule.summary));
    parts.push(...section("Inputs", ...given.map((edge) => card(boxes.get(edge.tail)))));
    parts.push(...section("Output", card(box)));
    if (box.rule) parts.push(...section("Source", source(box.rule)));
  }
  parts.push(...section(back ? "The cotangent" : "The value", ...values(box.value, back)));
  show(...parts);
}

function showHelp() {
  const hasCotangents = data.boxes.some((box) => box.kind === "cotangent");
  const key = (name, says) => make("p", null, { class: "kind" }, make("kbd", name), ` ${says}`);
  const keys = matchMedia("(pointer: coarse)").matches ? [make("p", "Drag to move, pinch to zoom, and tap. ▶ steps through the computation, forward and then backward.", { class: "kind" })] : [
    key("Tab ↑ ↓", "moves to a box, and from box to box"), key("Enter", "opens, closes, or shows it"), key("→", "next step, forward and then backward"), key("←", "previous step"), key("Home End", "first step, last step"),
    key("/", "search"), key("0", "fits the graph to the window"), key("+ −", "zoom in, zoom out"), key("Esc", "back to this overview"),
  ];
  show(
    make("h2", `How ${data.title} is computed`),
    make("p", "Click a box with + to open it in place, and the title of an open one to close it. Click any other box for its value, its statistics and its source.", { class: "kind" }),
    make("p", "Point at an element of a thumbnail: what it was computed from and what it influences light up. Click to hold it; then point at other elements to see their weights.", { class: "kind" }),
    key("P", "enters the thumbnail of a box; arrows then move from element to element, Page Up and Page Down from image to image, and Esc leaves"),
    ...keys,
    ...(hasCotangents ? section("Rules", make("p", "“vjp of f” is the rule of f, a vector-Jacobian product: from the derivative of the result with respect to the output of f, it computes that with respect to an input of f.", { class: "kind" })) : []),
    ...section("Notes", ...(data.notes.length ? data.notes.map((note) => make("p", note)) : [null]), make("p", `${data.dtype}, unless another dtype is shown`)),
  );
}
