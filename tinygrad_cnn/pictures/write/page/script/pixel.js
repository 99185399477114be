// Pointing at an element of a thumbnail: what it was computed from lights up, and what it influenced; in the backward
// half, the elements whose cotangents reached its own, and those that its own went on to. A click holds it, but in a box
// that it opens, and what is then pointed at is said with its weight. P enters the thumbnail of the box that one is at, arrows move, Escape leaves.

const pixel = (() => {
  const readout = make("output", null, { id: "pixel", role: "status", "aria-live": "polite", hidden: "" });
  let cone = null, held = false, within = null, waiting = null;

  // What a thumbnail shows, and of which value that is: of a cotangent, that whose cotangent it is.
  function valueOf(id) {
    const box = boxes.get(id), shown = boxes.get(box.shows ?? id);
    return { id: shown.of ?? shown.id, shown: shown.id, back: Boolean(shown.of) };
  }

  function isFollowed(id) {
    return cones.areWritten && Boolean(boxes.get(id)?.value?.picture?.areas) && !boxes.get(valueOf(id).shown).count;
  }

  // The size of a thumbnail in pixels, without its border.
  function pixelsOf(areas) {
    return { width: Math.max(...areas.map(([x, , width]) => x + width)) + 1, height: Math.max(...areas.map(([, y, , height]) => y + height)) + 1 };
  }

  // Where a picture lies in the coordinates of what it stands in, and how large its pixels are there.
  function frame(picture) {
    const { width, height } = pixelsOf(boxes.get(picture.dataset.box).value.picture.areas);
    if (picture.tagName === "IMG") return { x: picture.offsetLeft, y: picture.offsetTop, sx: picture.clientWidth / width, sy: picture.clientHeight / height };
    const [x, y, w, h] = ["x", "y", "width", "height"].map((name) => picture[name].baseVal.value), s = Math.min(w / width, h / height);
    return { x, y, sx: s, sy: s };
  }

  // The element that a pointer is at, or null.
  function elementAt(picture, event) {
    const { x, y, sx, sy } = frame(picture);
    let at;
    if (picture.tagName === "IMG") {
      const outer = picture.getBoundingClientRect();
      at = { x: (event.clientX - outer.left) / sx, y: (event.clientY - outer.top) / sy };
    } else {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
      at = { x: (point.x - x) / sx, y: (point.y - y) / sy };
    }
    for (const [left, top, width, height, first, rows, columns] of boxes.get(picture.dataset.box).value.picture.areas) {
      const row = Math.floor((at.y - top) / height * rows), column = Math.floor((at.x - left) / width * columns);
      if (row >= 0 && row < rows && column >= 0 && column < columns) return first + row * columns + column;
    }
    return null;
  }

  // What is drawn over a thumbnail: the outline of what is lit, which is filled the more, the larger its weight is.

  const LEVELS = 4;

  function cover(picture, reach, kind) {
    const { x, y, sx, sy } = frame(picture);
    const inPanel = picture.tagName === "IMG", transform = inPanel ? `scale(${sx} ${sy})` : `translate(${x} ${y}) scale(${sx} ${sy})`;
    const made = svg("g", { class: `cone ${kind}`, transform });
    let most = 0;
    for (let i = 0; i < reach.lit.length; i++) if (reach.lit[i] && Math.abs(reach.weights[i]) > most) most = Math.abs(reach.weights[i]);
    const fills = Array.from({ length: LEVELS + 1 }, () => []), outline = [];
    for (const [left, top, width, height, first, rows, columns] of boxes.get(picture.dataset.box).value.picture.areas) {
      const w = width / columns, h = height / rows, isLit = (row, column) => row >= 0 && row < rows && column >= 0 && column < columns && reach.lit[first + row * columns + column];
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          if (!isLit(row, column)) continue;
          const cx = left + column * w, cy = top + row * h, size = Math.abs(reach.weights[first + row * columns + column]);
          fills[most && size ? Math.max(1, Math.ceil(LEVELS * size / most)) || LEVELS : 0].push(`M${cx} ${cy}h${w}v${h}h${-w}z`);
          if (!isLit(row - 1, column)) outline.push(`M${cx} ${cy}h${w}`);
          if (!isLit(row + 1, column)) outline.push(`M${cx} ${cy + h}h${w}`);
          if (!isLit(row, column - 1)) outline.push(`M${cx} ${cy}v${h}`);
          if (!isLit(row, column + 1)) outline.push(`M${cx + w} ${cy}v${h}`);
        }
      }
    }
    if (!outline.length) return;
    fills.forEach((cells, level) => {
      if (level && cells.length) made.append(svg("path", { class: "fill", d: cells.join(""), "fill-opacity": 0.15 + 0.6 * level / LEVELS }));
    });
    for (const name of ["edge under", "edge"]) made.append(svg("path", { class: name, d: outline.join("") }));
    if (!inPanel) return picture.after(made);
    const over = svg("svg", { class: "cone" }, made);
    over.style.cssText = `left:${x}px;top:${y}px;width:${picture.clientWidth}px;height:${picture.clientHeight}px`;
    picture.after(over);
  }

  function clear() {
    for (const old of document.querySelectorAll(".cone")) old.remove();
    for (const node of graph.querySelectorAll(".reached")) node.classList.remove("reached", "before", "after", "pixel");
  }

  function paint() {
    clear();
    if (!cone) return;
    for (const picture of thumbnails()) {
      const [kind, reach] = isFollowed(picture.dataset.box) ? lit(valueOf(picture.dataset.box)) : [];
      if (reach) cover(picture, reach, kind);
    }
    for (const [id, node] of drawnNodes) {
      const [kind, reach] = boxes.has(id) ? lit(valueOf(id)) : [];
      if (reach) node.classList.add("reached", kind);
    }
  }

  // What is lit of a value or a cotangent. To what no gradient is computed for, no cotangent comes.
  function lit({ id, back }) {
    if (back && !cotangentOf.has(cone.id)) return [];
    if (id === cone.id) return ["pixel", cone.itself];
    const kind = cone.before.has(id) ? "before" : "after";
    return [kind, cone[kind].get(id)];
  }

  // What is said: the element and its value, or the weight of another in what is held.

  function number(x) {
    return x === undefined ? "?" : Number(x.toPrecision(5)).toString().replace("-", "−");
  }

  // A value or a cotangent has the title under which it is drawn: of a closed group, that of the group.
  function called(id, element) {
    const { shape } = boxes.get(id), title = drawn().get(id) ?? boxes.get(id).title, index = [];
    for (const length of [...shape].reverse()) { index.unshift(element % length); element = Math.floor(element / length); }
    return shape.length ? `${title}[${index.join(", ")}]` : title;
  }

  function drawn() {
    const pictures = thumbnails().filter((picture) => picture.tagName !== "IMG").map((picture) => picture.dataset.box);
    const ids = [...pictures, ...drawnNodes.keys()].filter((id) => boxes.has(id));
    return new Map(ids.map((id) => [valueOf(id).shown, boxes.get(id).title]));
  }

  // How many elements of each value, of what is drawn and of what has a name.
  function counts(found, back) {
    const titles = drawn(), parts = [];
    for (const [id, reach] of [...found].sort((a, b) => boxes.get(a[0]).order - boxes.get(b[0]).order)) {
      const box = back ? cotangentOf.get(id) : boxes.get(id), many = reach.lit.reduce((sum, one) => sum + one, 0);
      if (box && many && (boxes.get(id).name || titles.has(box.id))) parts.push(`${many.toLocaleString("en")} of ${titles.get(box.id) ?? box.title}`);
    }
    if (back) parts.reverse();
    const most = graph.clientWidth < 600 ? FEW : MOST;
    return parts.length > most ? `${parts.slice(0, most).join(", ")} …` : parts.join(", ") || "unnamed values";
  }

  const MOST = 12, FEW = 4;
  const swatch = (kind) => make("i", null, { class: kind });

  function describe(where) {
    const { back } = where, { before, after } = cone;
    const parts = [make("b", `${called(where.shown, where.element)} = ${number(cones.value(where.shown, where.element))}`), " "];
    if (where.id === cone.id && where.element === cone.element) {
      const [from, to] = back ? ["after", "before"] : ["before", "after"];
      if (cone[from].size) parts.push(swatch(from), ` computed from ${counts(cone[from], back)} `);
      if (cone[to].size) parts.push(swatch(to), ` ${back ? "passed on to" : "influences"} ${counts(cone[to], back)} `);
      for (const why of cone.cut) parts.push(`(${why}) `);
      return parts;
    }
    const [kind, reach] = lit(where), held = called((back && cotangentOf.get(cone.id)?.id) || cone.id, cone.element);
    if (!reach || !reach.lit[where.element]) return [...parts, ` independent of ${held}`];
    const weight = `with weight ${number(reach.weights[where.element])}`;
    const says = back ? { before: `receives ${held} ${weight}`, after: `reaches ${held} ${weight}` } : { before: `contributes to ${held} ${weight}`, after: `depends on ${held} ${weight}` };
    return [...parts, swatch(kind), ` ${says[kind]}`];
  }

  function updateReadout(where) {
    readout.hidden = !cone;
    readout.replaceChildren(...(cone ? describe(where) : []));
  }

  // What a person does.

  async function point(id, element, hold) {
    const where = { ...valueOf(id), element, hold };
    waiting = where;
    if (!cones.ready) {
      try {
        await cones.unpack();
      } catch (error) {
        readout.hidden = false;
        readout.textContent = `This browser cannot unpack how elements depend on each other (${error}).`;
        return;
      }
      if (waiting !== where) return;
    }
    if (hold || !held) {
      held = hold && `${id}_${element}`;
      if (hold) tell("held", where);
      if (!cone || cone.id !== where.id || cone.element !== element) {
        cone = cones.of(where.id, element);
        paint();
        readout.dispatchEvent(new CustomEvent("followed", { detail: cone })); // for tests
      }
    }
    updateReadout(where);
  }

  function leave() {
    const wasHeld = held;
    cone = within = waiting = null;
    held = false;
    paint();
    updateReadout();
    if (wasHeld) tell("held", null);
  }

  function target(event) {
    const picture = event.target.closest?.("[data-box]");
    if (!picture || !isFollowed(picture.dataset.box)) return null;
    const element = elementAt(picture, event);
    return element === null ? null : { id: picture.dataset.box, element };
  }

  document.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || event.buttons || within) return;
    const found = target(event);
    if (found) point(found.id, found.element, false);
    else if (cone ? !held : waiting && !waiting.hold) leave();
  });
  document.addEventListener("click", (event) => {
    const found = dragged ? null : target(event);
    if (!found || opens(event.target.closest(".node"))) return; // a click on a closed box opens it
    within = null;
    point(found.id, found.element, true);
  }, true);

  // By keyboard, from the middle of the first image; arrows move in it, Page Up and Page Down to other images.
  function enter(id) {
    const [, , , , first, rows, columns] = boxes.get(id).value.picture.areas[0];
    within = id;
    point(id, first + Math.floor(rows / 2) * columns + Math.floor(columns / 2), true);
  }

  function refuse(ids) {
    const isFolded = ids.some((id) => boxes.get(valueOf(id).shown).count);
    say(!ids.length ? "Choose a box first: P then follows its elements." : isFolded ? "This box stands for several iterations of a loop. To follow elements of one, render with fold=False." : "This box has no thumbnail whose elements can be followed.");
  }

  function move(down, across, images) {
    const areas = boxes.get(within).value.picture.areas, element = cone.element;
    const at = areas.findIndex(([, , , , first, rows, columns]) => element >= first && element < first + rows * columns);
    const [, , , , first, rows, columns] = areas[at], to = areas[Math.max(0, Math.min(areas.length - 1, at + images))][4];
    const row = Math.floor((element - first) / columns) + down, column = (element - first) % columns + across;
    const clip = (place, length) => Math.max(0, Math.min(length - 1, place));
    point(within, to + clip(row, rows) * columns + clip(column, columns), true);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea")) return;
    const focused = document.activeElement?.closest?.(".node")?.id ?? document.activeElement?.dataset?.box;
    const there = [focused, chosen, steps[at]?.id].filter((id) => boxes.has(id)), here = there.find(isFollowed);
    const act = within && cone ? {
      ArrowLeft: () => move(0, -1, 0), ArrowRight: () => move(0, 1, 0), ArrowUp: () => move(-1, 0, 0), ArrowDown: () => move(1, 0, 0),
      PageUp: () => move(0, 0, -1), PageDown: () => move(0, 0, 1), Home: () => move(0, -Infinity, 0), End: () => move(0, Infinity, 0), Escape: leave,
    }[event.key] : { p: () => (here ? enter(here) : refuse(there)), Escape: cone && leave }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
  }, true);

  graph.append(readout);
  on("redrawn", paint);
  on("shown", paint);

  return {
    get held() { return held; },
    // What `held` was; anything else leaves.
    restore(text) {
      const [id, element] = (text ?? "").split("_");
      if (isFollowed(id) && Number.isInteger(Number(element)) && element >= 0 && element < cones.size(id)) point(id, Number(element), true);
      else if (cone) leave();
    },
  };
})();
