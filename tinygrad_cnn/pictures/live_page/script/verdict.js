// The verdict: the model's answer, and its probability.

// The answer and its probability; and whether it is right, or null where there is no answer.
function verdict() {
  const p = flowing.shares, k = answered(p);
  if (k === null) return { answer: p.some(Number.isNaN) ? "NaN" : say("undecided"), share: "", isRight: null };
  return { answer: capital(called(k)), share: percent(p[k]), isRight: k === drawing.label };
}

on("flowed spoken", () => {
  const box = $("verdict");
  if (isEmpty()) {
    box.replaceChildren(element("p", { className: "none" }, say("nothing")));
    delete box.dataset.probability;
    return;
  }
  const p = flowing.shares, { answer, share, isRight } = verdict();
  box.dataset.probability = JSON.stringify(p);
  box.replaceChildren(
    element("p", { className: "answer" }, element("strong", {}, answer), element("span", {}, share)),
    ...p.map((each, i) => {
      const bar = element("div", { className: i === answered(p) ? "bar first" : "bar" }, element("span", { title: called(i) }, capital(called(i))), element("i"), element("span", {}, percent(each)));
      bar.querySelector("i").style.setProperty("--share", each || 0);
      return bar;
    }),
  );
  if (isRight === null) return;
  box.append(element("p", { className: isRight ? "mark right" : "mark wrong" }, `${isRight ? "✓" : "✗"} ${say(isRight ? "right" : "wrong", called(drawing.label))}`));
});

// It is spoken when the pen is lifted, and not at each point.
function speakVerdict() {
  if (isEmpty() || !flowing) return;
  const { answer, share } = verdict();
  announce(share ? say("said", answer, share) : say("said.none", answer), true);
}
on("finished", speakVerdict);
