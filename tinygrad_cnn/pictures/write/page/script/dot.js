// A frame in DOT, of statements that were written beforehand. The rules of `dot.py` hold here too.

function dotOf(scene, frame, sizes) {
  const lines = [data.header];
  const names = new Map(); // of the ends of parts
  const name = (end) => {
    if (Array.isArray(end)) return `"frame ${end[0]}":${portName(scene.all.get(end[0]), end[1])}:${end[1][0] === "i" ? "n" : "s"}`;
    return `"${names.get(end) ?? end}"`;
  };
  for (const [ports, rank] of [[frame.inlets, "source"], [frame.outlets, "sink"]]) {
    if (!ports.size) continue;
    for (const port of ports.keys()) names.set(port, `port ${portName(frame, port)}`);
    const all = [...ports.keys()].map((port) => `${name(port)} [shape=point style=invis width=0.02 height=0.02]`);
    lines.push(`{rank=${rank}; ${all.join("; ")}}`);
  }
  const first = (one) => Math.min(...one.boxes.map((box) => box.order), ...one.frames.map(first));
  const units = [...frame.boxes.map((box) => [box.order, scene.cards ? box.card : box.dot]), ...frame.frames.map((one) => [first(one), standIn(one, sizes.get(one.id))])];
  for (const [sign, of] of frame.signs) lines.push(boxes.get(of).sign.replace(`"i${of}"`, `"${sign}"`));
  for (const [, statement] of units.sort((a, b) => a[0] - b[0])) lines.push(statement);
  for (const [i, one] of [...frame.parts.values()].entries()) {
    if (one.flow === "tie" && isHidden(one)) continue;
    const look = one.arrow === "none" ? "dir=none" : `dir=${one.arrow}`;
    const free = one.flow === "use" ? " constraint=false" : "";
    lines.push(`${name(one.from)} -> ${name(one.to)} [id="${i}" ${look}${free}]`);
  }
  const here = new Set(frame.boxes.map((box) => box.id));
  for (const box of frame.boxes)
    if (box.of && here.has(box.of) && (!box.stays || scene.beside.has(box.of))) lines.push(`{rank=same; "${box.of}"; "${box.id}"}`);
  for (const [leaf, taker] of scene.beside) if (here.has(leaf) && here.has(taker)) lines.push(`{rank=same; "${leaf}"; "${taker}"}`);
  return lines.join("\n") + "\n}";
}

function portName(frame, port) {
  const isInlet = port[0] === "i";
  return (isInlet ? "i" : "o") + (isInlet ? frame.inlets : frame.outlets).get(port);
}

// The tie of a parameter and its gradient is not drawn: their borders show it.
function isHidden({ from }) {
  return typeof from === "string" && Boolean(boxes.get(from)?.stays);
}

// The node of a frame that is laid out already: as large as it, with ports where its edges pass its border.
function standIn(frame, { width, height, ports }) {
  const row = (all) => {
    let at = 0;
    const cells = [];
    for (const { port, x } of [...all].sort((a, b) => a.x - b.x)) {
      const left = Math.max(at, Math.round(x) - 1);
      if (left > at) cells.push(cell(left - at, 1));
      cells.push(cell(2, 1, ` PORT="${portName(frame, port)}"`));
      at = left + 2;
    }
    if (at < width) cells.push(cell(width - at, 1));
    return `<TR><TD>${table(width, 1, `<TR>${cells.join("")}</TR>`)}</TD></TR>`;
  };
  const of = (isInlet) => ports.filter(({ port }) => (port[0] === "i") === isInlet);
  const label = table(width, height, row(of(true)) + `<TR>${cell(width, height - 2)}</TR>` + row(of(false)));
  return `"frame ${frame.id}" [shape=plain label=<${label}>]`;
}

function cell(width, height, more = "") {
  return `<TD FIXEDSIZE="TRUE" WIDTH="${width}" HEIGHT="${height}"${more}></TD>`;
}

function table(width, height, rows) {
  return `<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" FIXEDSIZE="TRUE" WIDTH="${width}" HEIGHT="${height}">${rows}</TABLE>`;
}
