// The graph: the poster, with canvases where its thumbnails would be, which are painted with what flows.

const graph = $("graph"), svg = graph.querySelector("svg"), [wide, high] = data.size;
graph.style.setProperty("--wide", wide);
// A graph that is wider than its place can be scrolled, by keys too.
function showSight() {
  const sight = $("sight");
  sight.tabIndex = sight.scrollWidth > sight.clientWidth + 4 ? 0 : -1;
}
addEventListener("resize", showSight);
svg.removeAttribute("role");
svg.setAttribute("aria-hidden", "true");
const texts = new Map([...svg.querySelectorAll("text[data-of]")].map((text) => [Number(text.dataset.of), text]));
const cardElements = data.cards.map(() => null);

const places = data.places.map((place) => {
  const [width, height, across] = place.tile;
  const canvases = place.tiles.map(([, rows, columns], i) => {
    const canvas = element("canvas", { width: columns, height: rows, className: place.backward ? "tile back" : "tile" });
    const left = place.left + (i % across) * (width + 2), top = place.top + Math.floor(i / across) * (height + 2);
    canvas.style.cssText = `left:${(100 * left) / wide}%;top:${(100 * top) / high}%;width:${(100 * width) / wide}%;height:${(100 * height) / high}%`;
    graph.append(canvas);
    return canvas;
  });
  return { ...place, canvases, text: texts.get(place.number), isShown: false };
});

function paint(place, values) {
  place.isShown = true;
  const scale = place.tiles.length ? scaleOf(values, place.backward) : null;
  place.canvases.forEach((canvas, i) => {
    canvas.classList.add("full");
    paintTile(canvas, values, place.tiles[i], scale);
  });
  place.text.textContent = place.tiles.length ? rangeOf(values) : written(values[0]);
}

function hide(place) {
  place.isShown = false;
  place.text.textContent = "";
  for (const canvas of place.canvases) {
    canvas.classList.remove("full");
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  }
}

/* What is shown: the flow for what is on the pad. Where the backward pass is switched on, it flows from card to card;
   afterwards all is painted at once. */
let backward = false, flowing = null, timer = 0;
const PACE = 150; // milliseconds from card to card

function refresh() {
  flowing = flow(inputOf(drawing.seen), drawing.label, backward);
  for (const place of places) {
    if (!place.backward || (place.isShown && backward)) paint(place, flowing.values.get(place.number));
  }
  tell("flowed", flowing);
}

function cardsBackward() {
  const cards = new Map();
  for (const place of places.filter((one) => one.backward)) cards.set(place.card, [...(cards.get(place.card) ?? []), place]);
  return [...cards].sort(([a], [b]) => b - a);
}

function setBackward(isOn) {
  backward = isOn;
  clearTimeout(timer);
  $("backward").setAttribute("aria-pressed", isOn);
  places.filter((place) => place.backward).forEach(hide);
  graph.classList.toggle("backward", isOn);
  refresh();
  tell("backward", isOn);
  if (!isOn) return;
  const cards = cardsBackward();
  const next = () => {
    if (!cards.length) return;
    const [, those] = cards.shift();
    if (!calm.matches) follow(those);
    for (const place of those) {
      paint(place, flowing.values.get(place.number));
      for (const canvas of place.canvases) canvas.classList.add("fresh");
    }
    if (calm.matches) next();
    else timer = setTimeout(next, PACE);
  };
  const isFar = !calm.matches && follow(cards[0]?.[1] ?? []);
  timer = setTimeout(next, isFar ? 4 * PACE : 0);
}

// How much of the window the pad covers, above the graph, once the page is scrolled.
function covered({ left, right }) {
  const draw = $("draw"), box = draw.getBoundingClientRect();
  const { position, top } = getComputedStyle(draw);
  return position === "sticky" && box.left < right && box.right > left ? box.height + parseFloat(top) : 0;
}

// Scroll to a card, if it is not seen; whether it was not.
function follow(those) {
  if (!those.length) return false;
  const box = graph.getBoundingClientRect(), top = box.top + (box.height * Math.min(...those.map((place) => place.top))) / high;
  const from = covered(box), height = innerHeight - from;
  if (top > from + 0.16 * height && top < from + 0.76 * height) return false;
  scrollBy({ top: top - from - height / 2, behavior: "smooth" });
  return true;
}

// The same numbers, for those who do not see the picture.
function showTable() {
  const table = $("table");
  if (!table.open || !flowing) return;
  const value = (one) => (one.tiles.length ? rangeOf : (x) => written(x[0]))(flowing.values.get(one.number));
  const cell = (name, text) => element(name, name === "th" ? { scope: "row" } : {}, text);
  const rows = places.filter((one) => !one.backward).sort((a, b) => a.card - b.card).map((one) => {
    const back = places.find((other) => other.backward && other.card === one.card && other.title.endsWith(`∂${one.title}`));
    return element("tr", {}, cell("th", one.title), cell("td", value(one)), cell("td", back && backward ? value(back) : ""));
  });
  const heads = ["", say("table.value"), say("table.derivative")].map((text) => element(text ? "th" : "td", text ? { scope: "col" } : {}, text));
  table.querySelector("div").replaceChildren(element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows)));
}
$("table").addEventListener("toggle", showTable);
on("flowed spoken", showTable);

$("backward").addEventListener("click", () => setBackward(!backward));
graph.addEventListener("animationend", (event) => event.target.classList.remove("fresh"));
on("drawn labelled stepped", refresh);
