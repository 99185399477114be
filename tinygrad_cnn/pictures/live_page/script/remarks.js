// What is worth pointing out while it trains, each in one line, with the epoch at which it was first so.

let remarks = []; // of {epoch, name, with}

function remarksOf(seen) {
  const found = [];
  data.activations.forEach((name, k) => {
    if (seen.alive[k] === 0) found.push(["remark.dead", { relu: "ReLU" }[name] ?? name]);
  });
  const isFinite = model.parameters.every((array) => array.every(Number.isFinite));
  if (!isFinite) found.push(["remark.diverged"]);
  else if (!Number.isFinite(seen.loss)) found.push([data.knobs.some((knob) => knob.name === "epsilon") ? "remark.pole" : "remark.infinite"]);
  if (held && seen.train === 1 && seen.test <= 0.5) found.push(["remark.overfit", Math.round(seen.test * held.count), held.count]);
  return found;
}

function remark(seen) {
  for (const [name, ...words] of remarksOf(seen)) {
    const known = remarks.find((one) => one.name === name && (name !== "remark.dead" || one.words[0] === words[0]));
    if (!known) remarks.push({ epoch: seen.epoch, name, words });
    else known.words = words;
  }
}

function showRemarks() {
  const lines = remarks.map(({ epoch, name, words }) => say("remark", epoch, say(name, ...words)));
  const list = $("remarks");
  if (lines.join() === [...list.children].map((one) => one.textContent).join()) return;
  list.replaceChildren(...lines.map((line) => element("li", {}, line)));
}

on("spoken", showRemarks);
on("restarted", () => {
  remarks = [];
  showRemarks();
});
