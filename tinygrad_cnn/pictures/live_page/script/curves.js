// What has been seen in training, epoch by epoch, and its two curves: the loss, and the share of drawings that are right.

let history = []; // of {epoch, loss, reported, train, test}
const CURVE = { width: 320, height: 84, right: 6, top: 8, bottom: 14, letter: 6 };

function svgElement(name, fields, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(fields)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// `left` is where its axis is.
function chart(lines, low, high, label, left) {
  const { width, height, right, top, bottom } = CURVE, last = Math.max(data.epochs, history.at(-1)?.epoch ?? 0);
  const x = (epoch) => left + ((width - left - right) * epoch) / last, y = (value) => top + (height - top - bottom) * (1 - (value - low) / (high - low || 1));
  const made = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  made.append(svgElement("path", { class: "axis", d: `M${left} ${y(high)}V${y(low)}H${width - right}` }));
  for (const [at, text] of lines.ticks) made.append(svgElement("text", { x: left - 5, y: y(at) + 3, "text-anchor": "end" }, text));
  made.append(svgElement("text", { x: left, y: height - 2 }, "0"), svgElement("text", { x: width - right, y: height - 2, "text-anchor": "end" }, String(last)));
  for (const { kind, of } of lines) {
    let path = "", isOn = false;
    for (const seen of history) {
      const value = of(seen);
      if (Number.isFinite(value)) path += `${isOn ? "L" : "M"}${x(seen.epoch).toFixed(1)} ${y(Math.max(low, Math.min(high, value))).toFixed(1)}`;
      else if (isOn || seen === history[0]) made.append(svgElement("path", { class: "gap", d: `M${x(seen.epoch).toFixed(1)} ${top}V${height - bottom}` }));
      isOn = Number.isFinite(value);
    }
    made.append(svgElement("path", { class: `curve ${kind}`, d: path ? `${path}h0` : "M0 0" }));
  }
  return made;
}

// At most so many moments are drawn.
const MOMENTS = 400;

function showCurves() {
  const losses = history.map((seen) => seen.loss).filter(Number.isFinite).sort((a, b) => a - b);
  const low = losses[0] ?? 0, most = losses[Math.floor(0.97 * (losses.length - 1))] ?? 1, now = history.at(-1);
  const isLog = low > 0 && most > 20 * low, to = isLog ? Math.log10 : (v) => v;
  const [least, largest] = [to(low), Math.max(to(most), to(low) + 1e-6)];
  const [lowest, highest] = bothWritten(low, most);
  const loss = Object.assign([{ kind: "loss", of: (seen) => to(seen.loss) }], { ticks: losses.length ? [[least, lowest], [largest, highest]] : [] });
  const share = Object.assign([{ kind: "training", of: (seen) => seen.train }, ...(held ? [{ kind: "test", of: (seen) => seen.test }] : [])], { ticks: [[0, "0"], [1, "100 %"]] });
  const left = 8 + CURVE.letter * Math.max(...[...loss.ticks, ...share.ticks].map(([, text]) => text.length));
  const of = (k, count) => say("count", Math.round(k * count), count);
  const trained = now ? now.count : 0;
  const head = (title, ...values) => element("p", { className: "caption" }, element("b", {}, title), ...values);
  const number = (className, text, value) => element("output", { className, "data-value": String(value) }, text);
  const reported = now && now.reported !== now.loss ? [number("reported", say("reported", written(now.reported, 6)), now.reported)] : [];
  $("curves").replaceChildren(
    head(say("loss"), ...(now ? [number("loss", written(now.loss), now.loss)] : []), ...reported),
    chart(loss, least, largest, `${say("loss")}: ${now ? written(now.loss) : "–"}`, left),
    head(say("accuracy"), ...(now ? [number("training", `${say("of.training")} ${of(now.train, trained)}`, now.train)] : []), ...(now && held ? [number("test", `${say("of.test")} ${of(now.test, held.count)}`, now.test)] : [])),
    chart(share, 0, 1, say("accuracy"), left),
  );
  $("epoch").textContent = say("epoch", trainedEpochs);
  $("epoch").dataset.value = trainedEpochs;
}

// Two numbers, with as many digits as distinguish them.
function bothWritten(low, high) {
  const digits = [2, 3, 4, 5, 6].find((count) => written(low, count) !== written(high, count));
  return digits ? [written(low, digits), written(high, digits)] : [written(low, 2), ""];
}

// What is known of an epoch takes the place of what was. Every second moment is forgotten when there are too many.
function remember(seen) {
  if (history.at(-1)?.epoch === seen.epoch) history.pop();
  history.push(seen);
  if (history.length > MOMENTS) history = history.filter((_, i) => i % 2 === 0 || i === history.length - 1);
}

on("spoken", showCurves);
