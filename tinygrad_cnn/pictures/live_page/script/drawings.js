// The drawings of the data and one's own, each with whether the model is right about it. A click puts one on the pad.

const rows = [["drawings.test", held], ["drawings.training", bundled]].filter(([, of]) => of).map(([name, of]) => {
  const levelsOf = (x) => Uint8Array.from(x, nearest);
  return { name, of, items: of.labels.map((label, k) => ({ label, levels: levelsOf(of.image(k)), x: of.image(k), part: name, k })) };
});

// The level of ink that a number is nearest to.
function nearest(x) {
  const [paper, dark] = [levels[0], levels[255]];
  return Math.max(0, Math.min(255, Math.round((255 * (x - paper)) / (dark - paper))));
}

function thumbnail(item) {
  const canvas = element("canvas", { width: WIDTH, height: HEIGHT });
  paintLevels(canvas, item.levels, 1.25);
  return canvas;
}

function showDrawings() {
  const own = { name: "drawings.yours", items: model.own.map((one, k) => ({ ...one, x: inputOf(one.levels), part: "drawings.yours", k })) };
  const shown = [...(own.items.length ? [own] : []), ...rows];
  $("drawings").replaceChildren(...shown.map((row) => {
    const buttons = row.items.map((item) => {
      const button = element("button", { className: "drawing" }, thumbnail(item));
      button.addEventListener("click", () => take(item));
      Object.assign(item, { button });
      return element("li", {}, button);
    });
    row.title = element("h3", {}, element("span"), element("output"));
    const section = element("section", {}, row.title, element("ul", {}, ...buttons));
    if (row === own) {
      const forget = element("button", { className: "small" }, say("forget"));
      forget.addEventListener("click", forgetOwn);
      section.append(forget);
    }
    return section;
  }));
  showDrawings.rows = shown;
  judge();
}

function take(item) {
  label(item.label);
  replace([], { levels: item.levels, part: item.part, k: item.k });
  speakVerdict();
}

// How many of some images the model is right about.
const rightOf = (found, labels) => found.reduce((count, p, i) => count + (answered(p) === labels[i]), 0);

function judge() {
  for (const row of showDrawings.rows ?? []) {
    let count = 0;
    for (const item of row.items) {
      const p = answerOf(item.x), isRight = answered(p) === item.label;
      count += isRight;
      item.button.classList.toggle("wrong", !isRight);
      const name = row.name === "drawings.yours" ? say("drawing.own", item.k + 1, called(item.label)) : say("drawing.name", say(row.name), item.k + 1, called(item.label));
      item.button.setAttribute("aria-label", `${name}: ${say(isRight ? "drawing.right" : "drawing.wrong")}`);
      item.button.title = `${capital(called(item.label))}: ${percent(p[item.label])}`;
    }
    row.title.firstChild.textContent = say(row.name);
    row.title.lastChild.textContent = say("count", count, row.items.length);
  }
}

function keep() {
  if ($("keep").disabled) return;
  model.own.push({ levels: drawing.seen.slice(), label: drawing.label });
  drawing.isKept = true;
  $("keep").disabled = true;
  announce(say("kept", called(drawing.label)));
  showDrawings();
  lookAgain();
}

// Take one's own drawings out of the training.
function forgetOwn() {
  model.own = [];
  drawing.isKept = false;
  tell("labelled");
  showDrawings();
  lookAgain();
  $("pad").focus();
}

$("keep").addEventListener("click", keep);
on("drawn", () => {
  drawing.isKept = false;
  $("keep").disabled = !canTrain || !drawing.strokes.length;
});
on("labelled", () => ($("keep").disabled = !canTrain || !drawing.strokes.length || drawing.isKept));
on("spoken themed", showDrawings);
on("rested", judge);
