// What a person does.

function choose(id) {
  chosen = id;
  at = -1;
  $("at").textContent = "→ steps through it";
  showBox(boxes.get(id));
  mark();
  keepInSight(element(shownAs(id)));
  tell("chosen", boxes.get(id));
}

function toggle(id) {
  const group = groups.get(id), opening = closed.has(id);
  opening ? closed.delete(id) : closed.add(id);
  const box = group.forward ?? group.backward;
  if (opening) {
    draw(box, id);
    tell("opened", group);
    showGroup(group);
  } else {
    draw(id, box);
    tell("closed", group);
    choose(box);
  }
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
  $("at").textContent = "→ steps through it";
  $("search").value = "";
  $("search").classList.remove("none");
  showHelp();
  mark();
  tell("chosen", null);
}
