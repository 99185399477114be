// The verdict: what the model says of the drawing, and how sure it is.

let spoken = 0;

on("flowed spoken", () => {
  const box = $("verdict");
  if (isEmpty()) {
    box.replaceChildren(element("p", { className: "none" }, say("nothing")));
    delete box.dataset.probability;
    return;
  }
  const p = flowing.shares, k = best(p), broken = p.some(Number.isNaN), isRight = k === drawing.label;
  box.dataset.probability = JSON.stringify(p);
  const answer = broken ? "NaN" : capital(called(k));
  box.replaceChildren(
    element("p", { className: "answer" }, element("strong", {}, answer), element("span", {}, broken ? "" : percent(p[k]))),
    ...p.map((share, i) => {
      const bar = element("div", { className: i === k ? "bar first" : "bar" }, element("span", {}, capital(called(i))), element("i"), element("span", {}, percent(share)));
      bar.querySelector("i").style.setProperty("--share", share || 0);
      return bar;
    }),
    element("p", { className: isRight ? "mark right" : "mark wrong" }, isRight ? `✓ ${say("right")}` : `✗ ${say("wrong", called(drawing.label))}`),
  );
});

// It is spoken when the pen is lifted, and not at each point.
function speakVerdict() {
  if (isEmpty() || !flowing) return;
  const k = best(flowing.shares);
  announce(say("said", called(k), percent(flowing.shares[k])));
}
on("finished", speakVerdict);
