/* The model, as the programs run it. Parameters and the state of the optimiser are lists of arrays, of which numbers are
   arrays of one element here. */

const flat = (x) => (typeof x === "number" ? Float64Array.of(x) : typeof x === "boolean" ? Float64Array.of(+x) : x);
const isNumber = data.parameters.map((p) => p.number === true), stateIsNumber = data.state.map((p) => p.number === true);
const levels = arrayOf(data.levels), targets = data.targets.map(arrayOf);
const examples = (given) => {
  if (given === null) return null;
  const x = arrayOf(given.x), y = arrayOf(given.y), count = given.labels.length;
  const one = (all, k) => all.slice((k * all.length) / count, ((k + 1) * all.length) / count);
  return { x, y, labels: given.labels, count, image: (k) => one(x, k), target: (k) => one(y, k) };
};
const bundled = examples(data.data), held = examples(data.test);

const model = {
  given: data.parameters.map(arrayOf),
  parameters: [],
  state: [],
  seed: null, // null: as it came
  rate: data.rate,
  knobs: data.knobs.map((knob) => knob.value),
  own: [], // drawings that were added: {levels, label}
};
const starts = new Map(data.starts.map(([seed, arrays]) => [seed, arrays]));

function restart() {
  const from = model.seed === null ? model.given : starts.get(model.seed).map(arrayOf);
  model.parameters = from.map((array) => array.slice());
  model.state = data.state.map(arrayOf);
}
restart();

const passed = (arrays, numbers) => arrays.map((array, i) => (numbers[i] ? array[0] : array));

const empty = levels.constructor;
const inputOf = (drawn) => empty.from(drawn, (level) => levels[level]);

const run = (name, given) => programs[name]({ p: passed(model.parameters, isNumber), ...given }).map(flat);

// The probability of each class, of one image or of several.
function shares(found, count = 1) {
  const each = found.length / count;
  return Array.from({ length: count }, (_, i) => (each === 1 ? [1 - found[i], found[i]] : Array.from(found.slice(i * each, (i + 1) * each))));
}

// The class with the highest probability, or null: some are equal, or NaN.
function answered(p) {
  const most = Math.max(...p), k = p.indexOf(most);
  return k >= 0 && p.lastIndexOf(most) === k ? k : null;
}

const answerOf = (x) => shares(flat(programs.answer({ p: passed(model.parameters, isNumber), x })))[0];

// What flows for an image: forward alone, or backward too.
function flow(x, label, backward) {
  const [found, loss, ...values] = run(backward ? "backward" : "forward", { x, y: targets[label], knobs: model.knobs });
  const numbers = backward ? values.map((_, i) => i) : forwardNumbers;
  return { shares: shares(found)[0], loss: loss[0], values: new Map(numbers.map((number, i) => [number, values[i]])) };
}
const forwardNumbers = [...new Set(data.places.filter((p) => !p.backward).map((p) => p.number))].sort((a, b) => a - b);

const canTrain = "learn_one" in programs;

// The gradient of the loss of the images of one batch, with what was computed on the way.
function learnt(name, x, y, count) {
  const [loss, reported, found, ...rest] = run(name, { x, y, knobs: model.knobs });
  const alive = rest.splice(0, data.activations.length).map((most) => most[0]);
  return { loss: loss[0], reported: reported[0], shares: shares(found, count), alive, gradients: rest, count };
}

// Of parts of a batch, the whole: losses of images are summed, or their mean is taken.
function together(parts) {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const weights = parts.map((part) => (data.sums ? 1 : part.count / count));
  const sum = (of) => parts.reduce((total, part, i) => total + weights[i] * of(part), 0);
  const gradients = parts.length === 1 && weights[0] === 1 ? parts[0].gradients : parts[0].gradients.map((g, k) => g.map((_, i) => sum((part) => part.gradients[k][i])));
  return {
    loss: sum((part) => part.loss),
    reported: sum((part) => part.reported),
    shares: parts.flatMap((part) => part.shares),
    alive: data.activations.map((_, k) => Math.max(...parts.map((part) => part.alive[k]))),
    gradients,
    count,
  };
}

function stepWith(gradients) {
  const trained = data.free.map((i) => model.parameters[i]), numbers = data.free.map((i) => isNumber[i]);
  const given = { p: passed(trained, numbers), g: passed(gradients, numbers), state: passed(model.state, stateIsNumber), rate: model.rate };
  const after = programs.move(given).map(flat);
  data.free.forEach((i, k) => (model.parameters[i] = after[k]));
  model.state = after.slice(data.free.length);
}

// The parts of each batch of an epoch, each a function: those of the data, and with the last the drawings of one's own.
function batchesOf() {
  const batches = [], own = model.own.map(({ levels, label }) => () => learnt("learn_one", inputOf(levels), targets[label], 1));
  if (bundled) {
    const whole = Math.floor(bundled.count / data.batch) * data.batch;
    const part = (all, from, to) => all.subarray((from * all.length) / bundled.count, (to * all.length) / bundled.count);
    for (let from = 0; from < whole; from += data.batch) {
      const to = from + data.batch;
      batches.push([() => learnt("learn", part(bundled.x, from, to), part(bundled.y, from, to), data.batch)]);
    }
    const rest = Array.from({ length: bundled.count - whole }, (_, i) => () => learnt("learn_one", bundled.image(whole + i), bundled.target(whole + i), 1));
    if (rest.length) batches.push(rest);
  }
  if (batches.length) batches.at(-1).push(...own);
  else if (own.length) batches.push(own);
  return batches;
}

// What is seen in all batches, or null if there are none; after each, `then` is called with its gradients.
function overBatches(then) {
  const seen = batchesOf().map((parts) => {
    const found = together(parts.map((part) => part()));
    then(found.gradients);
    return found;
  });
  if (seen.length < 2) return seen[0] ?? null;
  const over = data.sums ? 1 : seen.length, sum = (of) => seen.reduce((total, one) => total + of(one), 0);
  return {
    loss: sum((one) => one.loss) / over,
    reported: sum((one) => one.reported) / over,
    shares: seen.flatMap((one) => one.shares),
    alive: data.activations.map((_, k) => Math.max(...seen.map((one) => one.alive[k]))),
    count: seen.reduce((total, one) => total + one.count, 0),
  };
}

const epoch = () => overBatches(stepWith);
const measured = () => overBatches(() => {});
