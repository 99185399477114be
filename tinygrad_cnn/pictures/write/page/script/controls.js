// Mouse, keys and buttons.

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
