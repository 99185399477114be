// Mouse, fingers, keys and buttons.

const FINGER = 44; // pixels that a finger can hit

// The box, frame or title that was clicked; for a finger, that which is nearest, if none was hit.
function hitBy(event) {
  const target = event.target.closest(".node,.title,.cluster");
  if (event.pointerType !== "touch" || target?.matches(".node,.title")) return target;
  const outer = graph.getBoundingClientRect(), [x, y] = fromScreen(event.clientX - outer.left, event.clientY - outer.top);
  let best = target, least = FINGER / 2 / view.scale;
  for (const [id, one] of shown.nodes) {
    const far = Math.hypot(Math.max(one.x - x, 0, x - one.x - one.width), Math.max(one.y - y, 0, y - one.y - one.height));
    if (far < least && boxes.has(id)) [best, least] = [drawnNodes.get(id), far];
  }
  return best;
}

// Whether a click on a box opens a group, or closes it.
function opens(target) {
  const group = target && (groups.get(target.dataset.group ?? target.id) ?? closedAs(target.id));
  return Boolean(group && !(group.computes && boxes.has(target.id)) && (group.forward || group.backward));
}

function press(target) {
  const group = groups.get(target.dataset.group ?? target.id) ?? closedAs(target.id);
  if (target.matches(".cluster")) return showGroup(group);
  if (opens(target)) return toggle(group.id);
  if (boxes.has(target.id)) return choose(target.id);
  if (group) return showGroup(group);
}

graph.addEventListener("click", (event) => {
  if (dragged || !shown) return;
  const target = hitBy(event);
  if (!target) return;
  if (target.matches("[role=button]")) focusOn(target.dataset.group ?? target.id);
  if (event.target.dataset.box && !closedAs(target.id)) return choose(event.target.dataset.box); // in a card
  press(target);
});

// The keyboard. One box of the graph can be reached by Tab, and the others from it by the arrow keys up and down.

let focused = null; // the id of that box, or of the group whose title it is

function focusable(id) {
  return drawnFrames.has(id) ? drawnFrames.get(id).title : drawnNodes.get(id);
}

function focusOn(id) {
  focusable(focused)?.setAttribute("tabindex", "-1");
  focused = id;
  const made = focusable(id);
  made?.setAttribute("tabindex", "0");
  made?.focus({ preventScroll: true });
}

// All that can be reached, as one reads it: from top to bottom, and from left to right.
function reading() {
  const all = [...shown.nodes].filter(([id]) => boxes.has(id));
  for (const one of shown.frames) if (drawnFrames.get(one[0]).title.hasAttribute("role")) all.push(one);
  return all.sort(([, a], [, b]) => a.y - b.y || a.x - b.x).map(([id]) => id);
}

on("redrawn", () => {
  if (focusable(focused)) return focusable(focused).setAttribute("tabindex", "0");
  focused = reading()[0];
  focusable(focused)?.setAttribute("tabindex", "0");
});

graph.addEventListener("focusin", (event) => {
  const id = event.target.dataset.group ?? event.target.id;
  if (!focusable(id) || !event.target.matches(":focus-visible")) return;
  focused = id;
  keepInSight(drawnFrames.has(id) ? null : id);
});

function walk(by) {
  const all = reading(), next = all[Math.max(0, Math.min(all.length - 1, all.indexOf(focused) + by))];
  focusOn(next);
  keepInSight(drawnFrames.has(next) ? null : next);
}

document.addEventListener("keydown", (event) => {
  if (event.target === $("search")) {
    if (event.key === "Enter") hit(which + (event.shiftKey ? -1 : 1));
    if (event.key === "Escape") { $("search").blur(); rest(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !shown) return;
  const inGraph = drawing.contains(event.target), onButton = event.target.matches("button, summary, a");
  const act = {
    ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1),
    Home: () => go(0), End: () => go(steps.length - 1), Escape: rest, 0: fit, "/": () => $("search").focus(),
    "+": () => magnify(1.25), "=": () => magnify(1.25), "-": () => magnify(0.8),
    ...(inGraph || event.target === graph ? { ArrowDown: () => walk(1), ArrowUp: () => walk(-1) } : {}),
    ...(inGraph && !onButton ? { Enter: () => press(event.target), " ": () => press(event.target) } : {}),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

$("search").addEventListener("input", () => search($("search").value));
$("next").addEventListener("click", () => go(at + 1));
$("back").addEventListener("click", () => go(at - 1));
$("first").addEventListener("click", () => go(0));
$("last").addEventListener("click", () => go(steps.length - 1));
$("fit").addEventListener("click", fit);
$("close-all").addEventListener("click", closeAll);
$("open-all").addEventListener("click", openAll);
$("rules").hidden = !rules.length;
$("rules").addEventListener("click", () => {
  const areOpen = areRulesOpen();
  for (const group of rules) areOpen ? closed.add(group.id) : closed.delete(group.id);
  draw();
});
on("redrawn", () => $("rules").setAttribute("aria-pressed", String(areRulesOpen())));
// In a narrow window, what is needed less is behind a button.
const isNarrow = matchMedia("(max-width: 860px)"), unfold = () => ($("more").open = !isNarrow.matches);
isNarrow.addEventListener("change", unfold);
unfold();
watchPointers();
