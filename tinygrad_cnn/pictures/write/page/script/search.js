// Search, by name, primitive, formula and line: how many there are, a list of them, and the first at once.

let found = [], which = -1;
const LISTED = 60;
let texts = null;

function search(text) {
  texts ??= data.boxes.map((box) => [box.title, box.primitive, box.formula, box.line ?? ""].join("\n").toLowerCase());
  const wanted = text.trim().toLowerCase();
  found = wanted ? data.boxes.filter((_, i) => texts[i].includes(wanted)) : [];
  found.sort((a, b) => (b.title.toLowerCase() === wanted) - (a.title.toLowerCase() === wanted)); // the others in their order
  which = -1;
  $("search").classList.toggle("none", Boolean(wanted) && !found.length);
  if (!wanted) return rest();
  if (!found.length) return show(make("h2", "Nothing found"), make("p", `No name, primitive, formula or line contains “${text.trim()}”.`, { class: "kind" }));
  return hit(0);
}

async function hit(next) {
  if (!found.length) return;
  which = (next + found.length) % found.length;
  const box = found[which];
  at = -1;
  chosen = box.id;
  showHits();
  if (!await reveal(box) || chosen !== box.id) return; // something else was asked for meanwhile
  mark();
  zoomTo(shownAs(box.id));
  tell("chosen", box);
}

function showHits() {
  const items = found.slice(0, LISTED).map((box, i) => {
    const made = make("button", null, { class: "card" + (box.kind === "cotangent" ? " back" : ""), ...(i === which ? { "aria-current": "true" } : {}) });
    const where = ancestors(box.group).reverse().map((group) => group.name).join(" / ");
    made.append(make("b", box.title), make("small", `  ${box.primitive === box.title ? "" : box.primitive}  ${shape(box)}  ${where ? `in ${where}` : ""}`));
    made.addEventListener("click", () => hit(i));
    return make("li", null, {}, made);
  });
  const count = `${found.length.toLocaleString("en")} found`;
  const look = make("button", "Show its value");
  look.addEventListener("click", () => choose(found[which].id));
  show(
    make("h2", count), make("p", found.length > 1 ? `Result ${which + 1} of ${found.length}; Enter shows the next.` : "", { class: "kind" }), look,
    make("ul", null, { class: "hits" }, ...items),
    ...(found.length > LISTED ? [make("p", `and ${(found.length - LISTED).toLocaleString("en")} more`, { class: "kind" })] : []),
  );
  panel.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}
