// What a reader can do.

function choose(id) {
  chosen = id;
  at = -1;
  showBox(boxes.get(id));
  mark();
  if (shown) keepInSight(shownAs(id));
  tell("chosen", boxes.get(id));
}

const opened = new Map(); // what was closed, and where all was, when a group was opened

// Where all was before a group was opened, if nothing else was done since.
function placeBefore(id) {
  const before = opened.get(id), isAsBefore = before && before.closed === state() && ["x", "y", "scale"].every((key) => before.view[key] === view[key]);
  return isAsBefore ? { by: before.by } : null;
}

function state() {
  return [...closed].sort().join();
}

// Open what is closed, and close what is open.
async function toggle(id) {
  const group = groups.get(id), opens = closed.has(id), box = group.forward ?? group.backward;
  const standing = opens ? [group.forward, group.backward].find((one) => one && one === focused) ?? box : opened.get(id)?.standing ?? box;
  const hasFocus = drawing.contains(document.activeElement);
  const before = opens ? state() : null;
  opens ? closed.delete(id) : closed.add(id);
  at = -1;
  if (opens) {
    chosen = null;
    showGroup(group);
  } else {
    chosen = box;
    showBox(boxes.get(box));
  }
  mark();
  const { by } = shown, keep = { from: placeIn(shown, opens ? standing : id), id: opens ? id : standing };
  if (!await draw((!opens && placeBefore(id)) || keep)) return;
  if (opens) opened.set(id, { by, standing, view: { ...view }, closed: before });
  if (hasFocus) focusOn(opens ? id : standing);
}

// Open what a box is in.
function reveal(box) {
  if (shown.scene.stands.get(box.id) === box.id) return Promise.resolve(true);
  const around = ancestors(box.group).filter((group) => closed.has(group.id) && box.id !== group.backward);
  around.forEach((group) => closed.delete(group.id));
  return around.length ? draw() : Promise.resolve(true);
}

function go(to) {
  if (!steps.length) return;
  chosen = null;
  at = Math.max(0, Math.min(steps.length - 1, to));
  showStep();
  mark();
  tell("stepped", steps[at]);
}

function rest() {
  at = -1;
  chosen = null;
  $("search").value = "";
  $("search").classList.remove("none");
  showHelp();
  mark();
  tell("chosen", null);
}

const MOST_DRAWN = 1500; // boxes; more take a browser seconds

// Open scopes from the outside in, as far as a browser can draw them.
function openAll() {
  const inside = new Map(data.groups.map((group) => [group.id, 0]));
  for (const box of data.boxes) if (inside.has(box.group)) inside.set(box.group, inside.get(box.group) + 1);
  let count = shown.nodes.size, isWhole = true;
  for (const group of data.groups) { // parents stand before the groups in them
    if (!closed.has(group.id) || group.computes) continue;
    const children = data.groups.filter((one) => one.parent === group.id && !one.computes).length;
    if (count + inside.get(group.id) + children > MOST_DRAWN) { isWhole = false; continue; }
    count += inside.get(group.id) + children;
    closed.delete(group.id);
  }
  say(isWhole ? "" : `Some scopes stay closed: at most ${MOST_DRAWN.toLocaleString("en")} boxes are drawn.`);
  return draw();
}

function closeAll() {
  for (const group of data.groups) if (!group.parent && group.kind !== "rule" && group.forward) closed.add(group.id);
  say("");
  return draw();
}

// A line above the graph, which screen readers read out.
function say(words) {
  $("status").textContent = words;
}
