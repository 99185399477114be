// Cones: the elements that an element was computed from, and those that it influenced. `view/influence.py` has the same
// in Python, and `view/packed.py` says how the links between values are written into the page.

const cones = (() => {
  let links = null, numbers = null, unpacking = null;

  // The arrays, which are unpacked when they are first needed.
  async function unpack() {
    const written = line(lineCount - 1), bytes = await (await unpacked(written.arrays)).arrayBuffer();
    const kinds = { f4: Float32Array, f8: Float64Array, i4: Int32Array };
    let begin = 0;
    const parts = written.parts.map(([kind, count]) => {
      const part = new kinds[kind](bytes, begin, count);
      begin += Math.ceil(part.byteLength / 8) * 8;
      return part;
    });
    const values = new Map(Object.entries(written.values).map(([id, part]) => [id, array(part, parts, size(id))]));
    links = written.links.map((link) => (link.why ? link : withStarts(link, parts)));
    numbers = values;
  }

  function array(part, parts, length, Kind = Float64Array) {
    return typeof part === "number" ? parts[part] : new Kind(length).fill(part[0]);
  }

  function withStarts({ tail, head, counts, elements, weights }, parts) {
    const starts = new Int32Array(size(head) + 1);
    array(counts, parts, size(head), Int32Array).forEach((count, row) => { starts[row + 1] = starts[row] + count; });
    const total = starts[size(head)], steps = array(elements, parts, total, Int32Array), places = new Int32Array(total);
    for (let entry = 0, place = 0; entry < total; entry++) places[entry] = place += steps[entry];
    return { tail, head, starts, elements: places, weights: array(weights, parts, total) };
  }

  function size(id) {
    return boxes.get(id).shape.reduce((product, length) => product * length, 1);
  }

  function nothing(id) {
    return { lit: new Uint8Array(size(id)), weights: new Float64Array(size(id)) };
  }

  // What links lead to from an element, with the steps where they end.
  function follow(id, element, forward, cut) {
    const found = new Map([[id, nothing(id)]]);
    found.get(id).lit[element] = found.get(id).weights[element] = 1;
    for (const link of forward ? links : links.slice().reverse()) {
      const near = found.get(forward ? link.tail : link.head), far = forward ? link.head : link.tail;
      if (!near) continue;
      if (link.why) { cut.add(link.why); continue; }
      const { starts, elements, weights } = link, reach = found.get(far) ?? nothing(far), rows = starts.length - 1;
      let any = found.has(far);
      for (let row = 0; row < rows; row++) {
        if (!forward && !near.lit[row]) continue;
        for (let entry = starts[row]; entry < starts[row + 1]; entry++) {
          const from = forward ? elements[entry] : row, to = forward ? row : elements[entry];
          if (!near.lit[from]) continue;
          reach.lit[to] = 1;
          reach.weights[to] += weights[entry] * near.weights[from];
          any = true;
        }
      }
      if (any) found.set(far, reach);
    }
    return found;
  }

  return {
    get areWritten() { return starts[lineCount] - starts[lineCount - 1] > "null\n".length; },
    get ready() { return links !== null; },
    unpack: () => (unpacking ??= unpack()),
    size,
    // The element as it is written, or undefined where it is not in the page.
    value: (id, element) => numbers.get(id)?.[element],
    // {id, element, before, after, cut}: by the ids of boxes, which elements are lit, and the weight of each.
    of(id, element) {
      const cut = new Set(), before = follow(id, element, false, cut), after = follow(id, element, true, cut);
      before.delete(id);
      const itself = after.get(id);
      after.delete(id);
      return { id, element, before, after, itself, cut: [...cut] };
    },
  };
})();
