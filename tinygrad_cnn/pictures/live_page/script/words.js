// The languages. What has data-say shows a sentence, what has data-label is called by it.

let language = data.language;
const say = (name, ...with_) => (data.words[language][name] ?? name.replace("knob.", "")).replace(/\{(\d)\}/g, (_, i) => with_[i]);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const called = (k) => data.words[language][`class.${data.classes[k]}`] ?? data.classes[k];

// "Circle or square?", of however many classes.
function titled() {
  const names = data.classes.map((_, k) => called(k));
  if (language === "ko") return names.map((name) => `${name}일까`).join(", ") + "?";
  return capital(`${names.slice(0, -1).join(", ")} or ${names.at(-1)}?`);
}

function speak(chosen) {
  language = chosen;
  root.lang = chosen;
  for (const one of document.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
  for (const one of document.querySelectorAll("[data-label]")) {
    one.title = say(one.dataset.label);
    one.setAttribute("aria-label", say(one.dataset.label));
  }
  if (data.title === null) $("title").textContent = document.title = titled();
  $("graph").setAttribute("aria-label", say("graph.about"));
  $("table").querySelector("div").setAttribute("aria-label", say("table"));
  $("backward").title = say("backward.about");
  $("language").lang = language === "en" ? "ko" : "en";
  tell("spoken", chosen);
}

$("language").addEventListener("click", () => {
  const names = Object.keys(data.words);
  speak(names[(names.indexOf(language) + 1) % names.length]);
});
