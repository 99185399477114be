// Search, by name, primitive, formula and line.

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
