/* A live page. These files are written one after the other, in the order of `SCRIPTS` in `../__init__.py`, into
   one asynchronous function of the page, behind `programs`: a name at the top level of one file can be used in the
   functions of all others.

   What most files build on:

   data          what was written into the page: see `_contents` in `../__init__.py`
   programs      functions of arrays: forward, backward, answer, learn, learn_one, move; see `../programs.py`
   say(name, …)  a sentence in the language that is shown
   called(k)     what class k is called
   model         the parameters, the state of the optimiser, and the numbers that can be moved: see `network.js`
   drawing       what is on the pad: see `pad.js`
   on(name, f)   calls f(what) after: "drawn" (the pad), "labelled", "stepped" (the parameters), "rested" (the
                 training), "spoken" (the language), "themed", "backward" (whether the backward pass is shown) */

document.documentElement.dataset.started = "";

const $ = (id) => document.getElementById(id), root = document.documentElement;

const data = JSON.parse(await new Response(new Blob([bytesOf($("data").textContent)]).stream().pipeThrough(new DecompressionStream("deflate"))).text());

function bytesOf(text) {
  const letters = atob(text.trim()), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

const kinds = { Float32Array, Float64Array };
const arrayOf = ({ kind, bytes }) => new kinds[kind](bytesOf(bytes).buffer);

function element(name, fields = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(fields)) {
    if (key.includes("-") || key === "role") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

const listeners = new Map();

function on(names, listener) {
  for (const name of names.split(" ")) listeners.set(name, [...(listeners.get(name) ?? []), listener]);
}

function tell(name, what) {
  for (const listener of listeners.get(name) ?? []) listener(what);
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/* What is said to screen readers, and seen beneath the verdict for some seconds; but not if it `isSeen` elsewhere. */
let silence = 0;

function announce(text, isSeen = false) {
  const spoken = $("spoken");
  spoken.textContent = text;
  spoken.classList.toggle("unseen", isSeen);
  clearTimeout(silence);
  silence = setTimeout(() => (spoken.textContent = ""), 6000);
}

// A number as pictures have it: four digits at most, and a minus that is as wide as a plus.
function written(x, digits = 4) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  let text = size !== 0 && (size < 1e-3 || size >= 1e6) ? x.toExponential(digits - 1).replace(/\.?0+e/, "e") : String(Number(x.toPrecision(digits)));
  return text.replace(/-/g, "−").replace("e+", "e");
}

// No model is certain: what is written as 0 or 1 was rounded.
function percent(p) {
  if (Number.isNaN(p)) return "NaN";
  if (p > 0.9995) return "> 99.9 %";
  return p < 0.0005 ? "< 0.1 %" : `${Number((100 * p).toFixed(1))} %`;
}
