/* What is worth pointing out while it trains, each in one line, with the epoch at which it was first so. What has happened
   stays; what only holds for a while is gone when it no longer does. */

let remarks = []; // of {epoch, name, with}

function remarksOf(seen) {
  const found = [];
  data.activations.forEach((name, k) => {
    if (seen.alive[k] === 0) found.push(["remark.dead", { relu: "ReLU" }[name] ?? name]);
  });
  const isFinite = model.parameters.every((array) => array.every(Number.isFinite));
  if (!isFinite) found.push(["remark.diverged"]);
  else if (!Number.isFinite(seen.loss)) found.push([data.knobs.some((knob) => knob.name === "article_epsilon") ? "remark.pole" : "remark.infinite"]);
  if (held && seen.train === 1 && seen.test <= 0.5) found.push(["remark.overfit", Math.round(seen.test * held.count), held.count]);
  return found;
}

const LASTING = ["remark.pole", "remark.infinite"];

function remark(seen) {
  const found = remarksOf(seen), isSame = (one, [name, ...words]) => one.name === name && (name !== "remark.dead" || one.words[0] === words[0]);
  remarks = remarks.filter((one) => LASTING.includes(one.name) || found.some((other) => isSame(one, other)));
  for (const [name, ...words] of found) {
    const known = remarks.find((one) => isSame(one, [name, ...words]));
    if (!known) remarks.push({ epoch: seen.epoch, name, words });
    else known.words = words;
  }
}

function showRemarks() {
  const lines = remarks.map(({ epoch, name, words }) => {
    const text = say(name, ...words);
    if (LASTING.includes(name)) return say("remark", epoch, text);
    return epoch ? say("remark.since", epoch, text) : capital(text);
  });
  const list = $("remarks");
  if (lines.join() === [...list.children].map((one) => one.textContent).join()) return;
  list.replaceChildren(...lines.map((line) => element("li", {}, line)));
}

on("spoken", showRemarks);
