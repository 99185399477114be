// Graphviz, in a worker, so that the page can be used while it lays something out. What was laid out once is kept.

const kept = new Map();
let waiting = new Map(), asked = 0, worker = null;

function laidOut(dot, images) {
  if (!kept.has(dot)) {
    const answer = ask(dot, images);
    kept.set(dot, answer);
    answer.catch(() => kept.delete(dot));
  }
  return kept.get(dot);
}

function ask(dot, images) {
  worker ??= started();
  return new Promise((resolve, reject) => {
    waiting.set(++asked, { resolve, reject });
    worker.postMessage({ id: asked, dot, images });
  });
}

function started() {
  const blob = new Blob([$("graphviz").textContent, `;(${answerAll})();`], { type: "text/javascript" });
  const made = new Worker(URL.createObjectURL(blob));
  made.onmessage = ({ data: { id, answer, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    error ? reject(new Error(error)) : resolve(answer);
  };
  made.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || "no worker can be started"));
    waiting = new Map();
  };
  return made;
}

// What runs in the worker.
function answerAll() {
  const instance = Viz.instance();
  onmessage = async ({ data: { id, dot, images } }) => {
    try {
      const found = (await instance).renderFormats(dot, ["svg", "json0"], { images });
      if (found.status !== "success") throw new Error(found.errors.map((error) => error.message).join("; "));
      postMessage({ id, answer: { svg: found.output.svg, places: JSON.parse(found.output.json0) } });
    } catch (error) {
      postMessage({ id, error: String(error) });
    }
  };
}
