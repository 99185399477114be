// The address of the present state: what is open, where one is, and what is in sight. It is the fragment of the page's
// own address, which can be kept, sent, and opened again.

function stateAsText() {
  const first = new Set(data.closed), state = new URLSearchParams();
  const opened = data.closed.filter((id) => !closed.has(id)), shut = [...closed].filter((id) => !first.has(id));
  if (opened.length) state.set("open", opened.join("."));
  if (shut.length) state.set("close", shut.join("."));
  if (at >= 0) state.set("step", at + 1);
  if (chosen) state.set("box", chosen);
  if (pixel.held) state.set("pixel", pixel.held);
  const middle = fromScreen(graph.clientWidth / 2, graph.clientHeight / 2);
  const near = [...shown.nodes].filter(([id]) => boxes.has(id)).map(([id, one]) => [id, one.x + one.width / 2 - middle[0], one.y - middle[1]]);
  near.sort((a, b) => Math.hypot(a[1], a[2]) - Math.hypot(b[1], b[2]));
  if (near.length && touched) state.set("view", [near[0][0], near[0][1].toFixed(0), near[0][2].toFixed(0), view.scale.toFixed(3)].join("_"));
  return state.toString();
}

let touched = false, restoring = false;

async function restore(text) {
  const state = new URLSearchParams(text), list = (name) => (state.get(name) ?? "").split(".").filter((id) => groups.has(id));
  restoring = true;
  closed.clear();
  for (const id of [...data.closed, ...list("close")]) closed.add(id);
  for (const id of list("open")) closed.delete(id);
  at = -1;
  chosen = null;
  const step = Number(state.get("step")), box = state.get("box");
  const isDrawn = await draw();
  restoring = false;
  if (!isDrawn) return;
  if (Number.isInteger(step) && step >= 1 && step <= steps.length) go(step - 1);
  else if (boxes.has(box)) choose(box);
  else showHelp();
  pixel.restore(state.get("pixel"));
  const [id, x, y, scale] = (state.get("view") ?? "").split("_");
  const one = shown.nodes.get(id);
  if (one && [x, y, scale].every((part) => Number.isFinite(Number(part))) && scale > 0) {
    const [left, top] = [one.x + one.width / 2 - Number(x), one.y - Number(y)];
    look(graph.clientWidth / 2 - left * scale, graph.clientHeight / 2 - top * scale, Number(scale));
  }
}

let pending = 0, written = "";

function remember() {
  if (restoring) return;
  clearTimeout(pending);
  pending = setTimeout(() => {
    if (!shown || restoring) return;
    written = stateAsText();
    try {
      history.replaceState(null, "", `#${written}`);
    } catch { /* a page within another, such as a notebook, has no address of its own */ }
  }, 200);
}

for (const name of ["redrawn", "chosen", "stepped", "held"]) on(name, remember);
on("moved", () => { if (root.dataset.ready) touched = true; remember(); });
addEventListener("hashchange", () => { if (location.hash.slice(1) !== written) restore(location.hash.slice(1)); });

$("link").addEventListener("click", async () => {
  const address = `${location.href.split("#")[0]}#${stateAsText()}`;
  try {
    await navigator.clipboard.writeText(address);
    say("A link to this view is copied.");
  } catch { // where a page may not write there
    const field = make("input", null, { readonly: "", value: address, "aria-label": "A link to this view" });
    show(make("h2", "A link to this view"), field);
    field.select();
  }
});
