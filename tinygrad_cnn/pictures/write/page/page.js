/* The page of a graph. `data` has every box, edge and group; what is visible follows from which groups are closed. */
"use strict";
(async () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const boxes = new Map([...data.boxes, ...data.group_boxes].map((box) => [box.id, box]));
  const groups = new Map(data.groups.map((group) => [group.id, group]));
  const closed = new Set(data.closed);
  const rules = data.groups.filter((group) => group.computes);
  const graph = $("graph"), panel = $("panel");
  const steps = data.boxes
    .filter((box) => box.numbered && (box.kind === "primitive" || box.kind === "cotangent"))
    .sort((a, b) => a.order - b.order);
  let viz;
  try {
    viz = await Viz.instance();
  } catch (error) {
    panel.textContent = `This browser cannot lay the graph out, for which it needs WebAssembly (${error}).`;
    return;
  }
  let drawing = null, zoom = null, at = -1, chosen = null;

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
    const id = box.stays ? box.id : group[box.half];
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

  // Drawing.

  function pictures() {
    return [...boxes.values()]
      .filter((box) => box.value && box.value.picture)
      .map((box) => ({ name: `${box.id}.png`, width: box.value.picture.width, height: box.value.picture.height }));
  }

  // With what is `now` in the place that `before` had, if they are given; else all of it.
  function draw(before, now) {
    const was = element(before) && centre(element(before));
    const scale = zoom ? zoom.getSizes().realZoom : 0;
    if (zoom) zoom.destroy();
    drawing = viz.renderSVGElement(dot(), { images: pictures() });
    drawing.removeAttribute("width");
    drawing.removeAttribute("height");
    for (const image of drawing.querySelectorAll("image")) {
      const name = image.getAttributeNS("http://www.w3.org/1999/xlink", "href") ?? image.getAttribute("href");
      const box = boxes.get(String(name).replace(/\.png$/, ""));
      image.removeAttributeNS("http://www.w3.org/1999/xlink", "href");
      image.setAttribute("href", `data:image/png;base64,${box.value.picture.png}`);
    }
    graph.replaceChildren(drawing);
    zoom = svgPanZoom(drawing, { dblClickZoomEnabled: false, minZoom: 0.05, maxZoom: 40, zoomScaleSensitivity: 0.25, fit: true, center: true });
    if (was && element(now)) {
      zoom.zoom(zoom.getZoom() * scale / zoom.getSizes().realZoom);
      const is = centre(element(now));
      zoom.panBy({ x: was.x - is.x, y: was.y - is.y });
    } else fit();
    mark();
  }

  function fit() {
    zoom.resize();
    zoom.fit();
    if (zoom.getSizes().realZoom > 1) zoom.zoom(zoom.getZoom() / zoom.getSizes().realZoom); // not larger than it is
    zoom.center();
  }

  // Where a box will be on the page. The browser knows it only when it has drawn the next frame.
  function place(node) {
    const all = drawing.querySelector(".svg-pan-zoom_viewport"), inAll = all.getCTM().inverse().multiply(node.getCTM());
    const box = node.getBBox(), outer = graph.getBoundingClientRect(), pan = zoom.getPan(), scale = zoom.getSizes().realZoom;
    return new DOMRect(
      outer.x + pan.x + scale * (inAll.a * box.x + inAll.e), outer.y + pan.y + scale * (inAll.d * box.y + inAll.f),
      scale * inAll.a * box.width, scale * inAll.d * box.height,
    );
  }

  function centre(node) {
    const { x, y, width, height } = place(node);
    return { x: x + width / 2, y: y + height / 2 };
  }

  function element(id) {
    return drawing && drawing.getElementById(id);
  }

  function shownAs(id) {
    const box = boxes.get(id);
    if (element(id)) return id;
    const stand = box && standing(box);
    return stand ? stand.id : null;
  }

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

  const LEGIBLE = 0.6; // of its size, at which writing can still be read

  function keepInSight(node) {
    if (!node) return;
    const outer = graph.getBoundingClientRect(), scale = zoom.getSizes().realZoom;
    const most = Math.min(1, 0.95 * outer.width * scale / place(node).width); // at which it is in sight
    if (at >= 0 && scale < Math.min(LEGIBLE, most)) zoom.zoom(zoom.getZoom() * most / scale);
    const inner = place(node);
    const out = inner.left < outer.left || inner.right > outer.right || inner.top < outer.top || inner.bottom > outer.bottom;
    if (!out) return;
    const { x, y } = centre(node);
    zoom.panBy({ x: (outer.left + outer.right) / 2 - x, y: (outer.top + outer.bottom) / 2 - y });
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

  // The panel. Text is put in as text, never as markup.

  function make(name, text, attributes = {}, ...children) {
    const made = document.createElement(name);
    if (text !== null && text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function image(value, width) {
    const picture = value && value.picture;
    if (!picture) return null;
    const by = Math.max(1, Math.min(3, Math.floor(width / picture.width)));
    return make("img", null, {
      src: `data:image/png;base64,${picture.png}`, width: picture.width * by, height: picture.height * by, alt: picture.caption || "",
    });
  }

  function shape(box) {
    return `${box.dtype}[${box.shapes ?? box.shape.join(" × ")}]`;
  }

  function card(box, says = "") {
    const made = make("button", null, { class: "card" + (box.kind === "cotangent" ? " back" : "") });
    made.append(make("b", box.title), make("small", `  ${says}  ${shape(box)}  ${box.value ? box.value.number ?? box.value.range : ""}`));
    const picture = image(box.value, 320);
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
    const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
    const most = Math.max(...value.counts), width = 240 / value.counts.length;
    svg.setAttribute("class", "histogram" + (back ? " back" : ""));
    svg.setAttribute("viewBox", "0 0 240 74");
    svg.setAttribute("preserveAspectRatio", "none");
    value.counts.forEach((count, i) => {
      const bar = document.createElementNS(space, "rect"), height = count ? 2 + 70 * count / most : 0;
      for (const [key, x] of Object.entries({ x: i * width + 0.5, y: 74 - height, width: width - 1, height })) bar.setAttribute(key, x);
      const title = document.createElementNS(space, "title");
      title.textContent = `${count}`;
      bar.append(title);
      svg.append(bar);
    });
    const ends = make("div", null, { class: "ends" }, make("span", value.least.toPrecision(4)), make("span", value.most.toPrecision(4)));
    return make("div", null, {}, svg, ends);
  }

  function showBox(box) {
    const back = box.kind === "cotangent" || box.kind === "rule";
    const group = data.groups.find((g) => g.forward === box.id || g.backward === box.id);
    const partner = box.of ? boxes.get(box.of) : [...boxes.values()].find((other) => other.of === box.id);
    const picture = image(box.value, 340);
    const parts = [
      make("h2", box.title),
      make("p", `${box.kind === "scope" ? "scope, closed" : box.kind}${box.count ? `, ${box.count} of them` : ""} · ${shape(box)} · ${size(box.bytes)}`, { class: "kind" }),
    ];
    if (box.formula) parts.push(make("div", box.formula, { class: "formula" }));
    if (box.mark) parts.push(make("p", `${box.mark.flag ? "▶ " : ""}${box.mark.note}`, { class: "wrong" }));
    if (box.change) parts.push(make("p", box.change, { class: "wrong" }));
    if (box.cost) parts.push(make("p", `${time(box.cost.forward)} forward, ${time(box.cost.backward)} back`, { class: "kind" }));
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
    panel.replaceChildren(...parts);
    panel.scrollTop = 0;
  }

  function showGroup(group) {
    const button = make("button", "Close it");
    button.addEventListener("click", () => toggle(group.id));
    const inner = data.boxes.filter((box) => box.kind === "primitive" && ancestors(box.group).includes(group));
    const parts = [make("h2", group.name), make("p", group.says ?? `${group.kind}, ${inner.length} steps`, { class: "kind" })];
    if (group.cost) parts.push(make("p", `${time(group.cost.forward)} forward, ${time(group.cost.backward)} back`, { class: "kind" }));
    if (group.forward || group.backward) parts.push(button);
    panel.replaceChildren(...parts, ...section("Steps", ...inner.slice(0, 40).map((box) => card(box))));
  }

  function showStep() {
    const box = steps[at], back = box.kind === "cotangent";
    const firstBack = steps.findIndex((step) => step.kind === "cotangent");
    const count = back ? `${at - firstBack + 1} of ${steps.length - firstBack}` : `${at + 1} of ${firstBack < 0 ? steps.length : firstBack}`;
    $("at").textContent = `${back ? "Backward" : "Forward"} ${count}`;
    const parts = [
      make("p", `${back ? "Backward" : "Forward"}, step ${count}`, { class: "direction" + (back ? " back" : "") }),
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
    panel.replaceChildren(...parts);
    panel.scrollTop = 0;
  }

  function showHelp() {
    const kinds = [["input", "input: data, for which no gradient is computed"], ["parameter", "parameter: what gradients are computed for"],
      ["constant", "a constant array, or the mask of a where"], ["primitive", "a step, and the value that it computes"], ["scope", "a closed scope"],
      ["cotangent", "cotangent: the derivative of the result with respect to a value, beside that value"]];
    const present = new Set([...boxes.values()].map((box) => box.kind));
    const legend = make("ul", null, { class: "legend" }, ...kinds.filter(([kind]) => present.has(kind)).map(([kind, says]) => make("li", null, {}, make("i", null, { class: kind }), says)));
    const key = (name, says) => make("p", null, { class: "kind" }, make("kbd", name), ` ${says}`);
    panel.replaceChildren(
      make("h2", `How ${data.title} is computed`),
      make("p", "Click a box for its value, its statistics and its source. Double-click a closed scope to open it, or a frame to close it.", { class: "kind" }),
      key("→", "next step, forward and then backward"), key("←", "previous step"), key("Home End", "to the start, to the end"),
      key("/", "search"), key("0", "fit the graph to the window"), key("Esc", "back to this overview"),
      ...section("Legend", legend, present.has("cotangent") ? make("p", "“vjp of f” is the rule of f, a vector-Jacobian product: from the derivative of the result with respect to the output of f, it computes that with respect to an input of f.", { class: "kind" }) : null),
      ...section("Notes", ...(data.notes.length ? data.notes.map((note) => make("p", note)) : [null]), make("p", `${data.dtype}, unless another dtype is shown`)),
    );
  }

  function size(bytes) {
    return bytes < 1e3 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toPrecision(3)} kB` : `${(bytes / 1e6).toPrecision(3)} MB`;
  }

  function time(seconds) {
    return seconds < 1e-6 ? `${(seconds * 1e9).toFixed(0)} ns` : seconds < 1e-3 ? `${(seconds * 1e6).toPrecision(3)} µs` : `${(seconds * 1e3).toPrecision(3)} ms`;
  }

  // What a person does.

  function choose(id) {
    chosen = id;
    at = -1;
    $("at").textContent = "→ steps through it";
    showBox(boxes.get(id));
    mark();
    keepInSight(element(shownAs(id)));
  }

  function toggle(id) {
    const group = groups.get(id), opening = closed.has(id);
    opening ? closed.delete(id) : closed.add(id);
    const box = group.forward ?? group.backward;
    if (opening) {
      draw(box, id);
      showGroup(group);
    } else {
      draw(id, box);
      choose(box);
    }
  }

  function go(to) {
    if (!steps.length) return;
    chosen = null;
    at = Math.max(0, Math.min(steps.length - 1, to));
    showStep();
    mark();
  }

  function rest() {
    at = -1;
    chosen = null;
    $("at").textContent = "→ steps through it";
    $("search").value = "";
    $("search").classList.remove("none");
    showHelp();
    mark();
  }

  let found = [], which = -1;
  function search(text, next) {
    const wanted = text.trim().toLowerCase();
    if (!next) {
      found = wanted ? data.boxes.filter((box) => [box.title, box.primitive, box.formula, box.line ?? ""].some((part) => part.toLowerCase().includes(wanted))) : [];
      which = -1;
    }
    $("search").classList.toggle("none", Boolean(wanted) && !found.length);
    if (!found.length) return;
    which = (which + 1) % found.length;
    const box = found[which];
    const around = ancestors(box.group).filter((group) => closed.has(group.id) && !(box.id === group.backward || box.stays));
    if (around.length) {
      around.forEach((group) => closed.delete(group.id));
      draw();
    }
    choose(box.id);
  }

  graph.addEventListener("click", (event) => {
    const target = event.target.closest(".node,.cluster");
    if (!target) return;
    if (boxes.has(target.id)) choose(target.id);
    else if (groups.has(target.id)) showGroup(groups.get(target.id));
  });
  graph.addEventListener("dblclick", (event) => {
    const target = event.target.closest(".node,.cluster");
    if (!target) return;
    const group = groups.get(target.id) ?? data.groups.find((g) => closed.has(g.id) && (g.forward === target.id || g.backward === target.id));
    if (group && (group.forward || group.backward)) toggle(group.id);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target === $("search")) {
      if (event.key === "Enter") search($("search").value, true);
      if (event.key === "Escape") { $("search").blur(); rest(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1),
      Home: () => go(0), End: () => go(steps.length - 1), Escape: rest, 0: fit, "/": () => $("search").focus(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  $("search").addEventListener("input", () => search($("search").value, false));
  $("next").addEventListener("click", () => go(at + 1));
  $("back").addEventListener("click", () => go(at - 1));
  $("first").addEventListener("click", () => go(0));
  $("last").addEventListener("click", () => go(steps.length - 1));
  $("fit").addEventListener("click", fit);
  $("close-all").addEventListener("click", () => {
    for (const group of data.groups) if (!group.parent && group.kind !== "rule" && group.forward) closed.add(group.id);
    draw();
  });
  $("open-all").addEventListener("click", () => {
    for (const group of data.groups) if (!rules.includes(group)) closed.delete(group.id);
    draw();
  });
  if (rules.length) {
    $("rules").hidden = false;
    $("rules").addEventListener("click", () => {
      const open = rules.some((group) => !closed.has(group.id));
      for (const group of rules) open ? closed.add(group.id) : closed.delete(group.id);
      $("rules").setAttribute("aria-pressed", String(!open));
      draw();
    });
  }

  // Light and dark: as the reader's system has it, until the button says otherwise.

  const prefersDark = matchMedia("(prefers-color-scheme: dark)"), root = document.documentElement;
  let theme = root.dataset.theme;
  function paint() {
    const isDark = theme === "dark" || (theme === "auto" && prefersDark.matches);
    root.classList.toggle("dark", isDark);
    $("dark").media = isDark ? "all" : "not all";
  }
  prefersDark.addEventListener("change", paint);
  $("theme").addEventListener("click", () => {
    theme = root.classList.contains("dark") ? "light" : "dark";
    paint();
  });
  addEventListener("resize", () => zoom && zoom.resize());

  paint();
  draw();
  showHelp();
  root.dataset.ready = "true"; // for those who wait for it
})();
