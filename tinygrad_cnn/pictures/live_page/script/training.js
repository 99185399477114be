// Training: some epochs in each frame, so that it can be watched; and the numbers that can be moved meanwhile.

let trainedEpochs = 0, training = 0, goal = 0;
let course = null; // what the epochs were trained with, if all were with the same
const BUDGET = 9, PER_FRAME = 4; // milliseconds, and epochs, of a frame

// Remember what `look` sees of the training drawings, and how many test drawings are right. Returns whether it saw any.
function watch(look) {
  const test = held ? rightOf(Array.from({ length: held.count }, (_, k) => answerOf(held.image(k))), held.labels) / held.count : null;
  const seen = look();
  if (seen === null) return false;
  const labels = [...(bundled?.labels ?? []), ...model.own.map((one) => one.label)];
  const moment = { epoch: trainedEpochs, loss: seen.loss, reported: seen.reported, alive: seen.alive, count: seen.count, train: rightOf(seen.shares, labels) / seen.count, test };
  remember(moment);
  remark(moment);
  return true;
}

// One epoch. As in the article, what is remembered of it is from before its step.
function trainOnce() {
  const settings = JSON.stringify([model.rate, model.knobs, model.own.length]);
  if (!watch(epoch)) return false;
  if (!trainedEpochs) course = settings;
  else if (course !== settings) course = null;
  trainedEpochs++;
  return true;
}

// At rest, what is shown is that of the parameters as they are.
function rest() {
  watch(measured);
  show();
  tell("rested");
}

function show() {
  showCurves();
  showRemarks();
  tell("stepped");
}

function frame() {
  const until = performance.now() + BUDGET;
  let count = 0, isBroken = false;
  while (trainedEpochs < goal && count < PER_FRAME && performance.now() < until && !isBroken) {
    isBroken = !trainOnce() || model.parameters.some((array) => !array.every(Number.isFinite));
    count++;
  }
  show();
  if (trainedEpochs >= goal || isBroken) pause();
  else training = requestAnimationFrame(frame);
}

function pause() {
  cancelAnimationFrame(training);
  training = 0;
  showTraining();
  rest();
}

function start() {
  if (drawing.strokes.length && !drawing.isKept && !pen.isDown) keep();
  if (!batchesOf().length) return announce(say("untaught"));
  trainUpTo(trainedEpochs + data.epochs);
}

function trainUpTo(epoch) {
  goal = epoch;
  training = requestAnimationFrame(frame);
  showTraining();
}

function showTraining() {
  $("train-word").textContent = say(training ? "pause" : "train");
  $("train").setAttribute("aria-pressed", training !== 0);
  root.dataset.training = training ? "on" : "off";
}

function toggleTraining() {
  if (!canTrain) return;
  if (training) pause();
  else start();
}

function once() {
  if (!canTrain || training) return;
  if (trainOnce()) rest();
  else announce(say("untaught"));
}

function startOver() {
  if (training) pause();
  restart();
  trainedEpochs = 0;
  lookAgain();
}

// What is trained on, or the loss, is another. Before the first epoch nothing that was seen is of interest any more.
function lookAgain() {
  if (!trainedEpochs) [history, remarks] = [[], []];
  if (canTrain && !training) rest();
}

// Sliders.
function slider(id, name, count, from, text, moved) {
  const input = element("input", { type: "range", id, min: 0, max: count, step: 1, value: from() }), output = element("output");
  const show = () => {
    input.value = from();
    output.textContent = text();
    input.setAttribute("aria-valuetext", text());
  };
  input.addEventListener("input", () => {
    moved(Number(input.value));
    show();
  });
  $("knobs").append(element("label", { htmlFor: id }, element("span", { "data-say": name }), output), input);
  on("spoken set", show);
  return show;
}

const FINENESS = 200;
const logarithmic = (least, most) => ({
  at: (value) => Math.round((FINENESS * Math.log(value / least)) / Math.log(most / least)),
  value: (at) => Number((least * (most / least) ** (at / FINENESS)).toPrecision(3)),
});

if (canTrain) {
  const seeds = [null, ...starts.keys()];
  if (seeds.length > 1) {
    slider("seed", "seed", seeds.length - 1, () => seeds.indexOf(model.seed), () => model.seed ?? say("seed.given"), (at) => {
      model.seed = seeds[at];
      startOver();
    });
  }
  const rate = logarithmic(Math.min(1e-5, data.rate), Math.max(1, data.rate));
  slider("rate", "rate", FINENESS, () => rate.at(model.rate), () => written(model.rate, 3), (at) => (model.rate = rate.value(at)));
  data.knobs.forEach((knob, k) => {
    const scale = logarithmic(knob.least, knob.most);
    slider(`knob-${k}`, `knob.${knob.name}`, FINENESS, () => scale.at(model.knobs[k]), () => written(model.knobs[k], 3), (at) => {
      model.knobs[k] = scale.value(at);
      refresh();
      lookAgain();
    });
  });
  $("train").addEventListener("click", toggleTraining);
  $("one").addEventListener("click", once);
  $("again").addEventListener("click", startOver);
} else {
  $("trainer").hidden = true;
  $("train").hidden = true;
  $("keep").hidden = true;
  $("untrained").hidden = false;
}
on("spoken", showTraining);
