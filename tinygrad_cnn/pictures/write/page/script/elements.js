// What the panel is made of. Text is put in as text, never as markup.

function make(name, text, attributes = {}, ...children) {
  const made = document.createElement(name);
  if (text !== null && text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function image(box, width) {
  const picture = box.value && box.value.picture;
  if (!picture) return null;
  const by = Math.max(1, Math.min(3, Math.floor(width / picture.width)));
  return make("img", null, {
    src: `data:image/png;base64,${picture.png}`, width: picture.width * by, height: picture.height * by, alt: picture.caption || "", "data-box": box.id,
  });
}

function shape(box) {
  return `${box.dtype}[${box.shapes ?? box.shape.join(" × ")}]`;
}

const WORDS = { primitive: "step", scope: "closed scope", rule: "step of a rule" };

// What a screen reader says of a box.
function nameOf(box) {
  const value = box.value ? box.value.number ?? box.value.range : "";
  const parts = [box.title, box.kind === "primitive" && box.primitive !== box.title ? box.primitive : "", box.layer || WORDS[box.kind] || box.kind, shape(box), value, ...(box.value?.wrong ?? [])];
  if (showsCards() && box.within?.length) parts.push(`with ${box.within.map((id) => boxes.get(id).title).join(", ")}`);
  if (isOpener(box.id)) parts.push("Enter opens it");
  return parts.filter(Boolean).join(", ");
}

function card(box, says = "") {
  const made = make("button", null, { class: "card" + (box.kind === "cotangent" ? " back" : "") });
  made.append(make("b", box.title), make("small", `  ${says}  ${shape(box)}  ${box.value ? box.value.number ?? box.value.range : ""}`));
  const picture = image(box, 320);
  if (picture) made.append(picture);
  made.addEventListener("click", () => choose(box.id));
  return made;
}

function source(rule) {
  return rule.source ? make("pre", rule.source, { class: "source" }) : null;
}

function section(title, ...content) {
  const shown = content.filter((part) => part !== null && part !== undefined);
  return shown.length ? [make("h3", title), ...shown] : [];
}

function values(value, back) {
  if (!value) return [];
  const rows = [["least", value.least], ["most", value.most], ["mean", value.mean], ["std", value.std]]
    .filter(([, x]) => x !== undefined)
    .map(([name, x]) => [value.absolute ? `${name}, |·|` : name, Number(x.toPrecision(6)).toString()]);
  if (value.number !== undefined) rows.splice(0, rows.length, ["value", value.number]);
  else rows.push(["zeros", `${(100 * value.zeros).toFixed(value.zeros > 0 && value.zeros < 0.1 ? 1 : 0)} %`]);
  const table = make("table", null, {}, ...rows.map(([name, x]) => make("tr", null, {}, make("td", name, { class: "name" }), make("td", x))));
  const wrong = value.wrong.length ? make("p", value.wrong.join(", "), { class: "wrong" }) : null;
  return [wrong, table, histogram(value, back), make("pre", value.sample)].filter(Boolean);
}

function histogram(value, back) {
  if (!value.counts) return null;
  const most = Math.max(...value.counts), width = 240 / value.counts.length;
  const bars = value.counts.map((count, i) => {
    const height = count ? 2 + 70 * count / most : 0;
    return svg("rect", { x: i * width + 0.5, y: 74 - height, width: width - 1, height }, svg("title", {}, `${count}`));
  });
  const all = svg("svg", { class: "histogram" + (back ? " back" : ""), viewBox: "0 0 240 74", preserveAspectRatio: "none" }, ...bars);
  const ends = make("div", null, { class: "ends" }, make("span", value.least.toPrecision(4)), make("span", value.most.toPrecision(4)));
  return make("div", null, {}, all, ends);
}

function size(bytes) {
  return bytes < 1e3 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toPrecision(3)} kB` : `${(bytes / 1e6).toPrecision(3)} MB`;
}

function time(seconds) {
  return seconds < 1e-6 ? `${(seconds * 1e9).toFixed(0)} ns` : seconds < 1e-3 ? `${(seconds * 1e6).toPrecision(3)} µs` : `${(seconds * 1e3).toPrecision(3)} ms`;
}

function costOf({ cost }) {
  return cost ? `${time(cost.forward)} forward, ${time(cost.backward)} back` : "";
}
