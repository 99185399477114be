// The legend: what appears in the drawing, and nothing else.

const KINDS = { // the label, and the tooltip
  input: ["input", "data, for which no gradient is computed"],
  parameter: ["parameter", "what gradients are computed for"],
  constant: ["constant", "a constant array, or the mask of a where"],
  primitive: ["step", "a primitive, and the value that it computes"],
  scope: ["closed scope", "a scope or a loop, drawn as one box"],
  cotangent: ["cotangent", "the derivative of the result with respect to a value, beside that value"],
  rule: ["step of a rule", "a step of what a rule computes"],
};
const FLOWS = {
  forward: "value", again: "value of the iteration before", backward: "cotangent", earlier: "cotangent of the iteration after",
  use: "read by a rule", tie: "value and its cotangent",
};

function swatch(kind, look) {
  const [corner, dash] = [["primitive", "cotangent", "rule"].includes(kind) ? 5 : 0, { constant: "3 2", rule: "3 2" }[kind]];
  const made = svg("svg", { width: 26, height: 16, viewBox: "0 0 26 16", "aria-hidden": "true" });
  const at = { x: 1.5, y: 1.5, width: 23, height: 13, rx: corner, fill: look.fill, stroke: look.line, ...(dash ? { "stroke-dasharray": dash } : {}) };
  made.append(svg("rect", at));
  if (kind === "parameter") made.append(svg("rect", { x: 4, y: 4, width: 18, height: 8, fill: "none", stroke: look.line }));
  return made;
}

function stroke(flow) {
  const made = svg("svg", { width: 26, height: 16, viewBox: "0 0 26 16", "aria-hidden": "true" });
  made.append(svg("g", { class: `edge ${flow}` }, svg("path", { d: "M2,8C8,8 14,8 20,8" })));
  if (flow !== "tie") made.firstElementChild.append(arrowhead([19, 8], [25, 8], flow));
  return made;
}

function legend() {
  const nodes = [...shown.nodes.keys()].map((id) => boxes.get(id)).filter(Boolean);
  const coloured = (box) => box.layer && box.half === "forward" && !box.mark && !box.cost && data.looks[box.layer];
  const kind = ({ kind }) => (shown.scene.cards && kind === "constant" ? "input" : kind); // as a card of its own it is one
  const kinds = new Set(nodes.filter((box) => !coloured(box)).map(kind)), layered = new Set(nodes.filter(coloured).map((box) => box.layer));
  if (shown.scene.cards && nodes.some((box) => cotangentOf.has(box.id))) kinds.add("cotangent");
  const flows = new Set(shown.edges.map(({ edge }) => edge.flow)), item = (sample, words, hint = "") => make("li", null, hint ? { title: hint } : {}, sample, make("span", words));
  const items = [
    ...Object.keys(KINDS).filter((kind) => kinds.has(kind)).map((kind) => item(swatch(kind, data.looks[kind]), ...KINDS[kind])),
    ...Object.keys(data.looks).filter((kind) => layered.has(kind)).map((kind) => item(swatch("primitive", data.looks[kind]), kind)),
    ...Object.keys(FLOWS).filter((flow) => flows.has(flow)).map((flow) => item(stroke(flow), FLOWS[flow])),
  ];
  const sign = (text) => make("b", text, { class: "sign", "aria-hidden": "true" });
  if (nodes.some((box) => isOpener(box.id))) items.push(item(sign("+"), "opens"));
  if (shown.frames.size) items.push(item(sign("−"), "closes"));
  if (nodes.some((box) => box.is_result)) items.push(item(sign("▣"), "double border: result, parameter, gradient"));
  if (nodes.some((box) => box.count > 1)) items.push(item(sign("×"), "n iterations drawn as one"));
  if (nodes.some((box) => box.value?.wrong.length)) items.push(item(sign("!"), "a fault: NaN, Inf, all zero, or very large"));
  if (nodes.some((box) => box.value?.picture)) items.push(item(sign("▦"), "black 0, white largest; or white 0, red positive, blue negative"));
  if (nodes.some((box) => box.change)) items.push(item(sign("±"), "green: added, dashed red: removed"));
  return make("ul", null, { class: "legend" }, ...items);
}

$("legend").open = matchMedia("(min-width: 861px) and (min-height: 600px)").matches;
on("redrawn", () => $("legend").replaceChildren(make("summary", "Legend"), legend()));
