// Keys, and the beginning.

addEventListener("keydown", (event) => {
  if (event.altKey || event.metaKey || event.ctrlKey) {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") {
      event.preventDefault();
      undo();
    }
    return;
  }
  if (event.repeat && /^[btkr]$/i.test(event.key)) return; // a key that is held is pressed once
  const keys = { b: () => setBackward(!backward), t: toggleTraining, ".": once, k: keep, r: startOver, z: undo, Delete: clear, Backspace: clear };
  const digit = Number(event.key) - 1, act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act) act();
  else if (digit >= 0 && digit < data.classes.length) label(digit);
  else return;
  event.preventDefault();
});

const withBackward = restore();
speak(language);
applyTheme();
refresh();
tell("set");
if (withBackward) setBackward(true);
addEventListener("hashchange", () => {
  const isBackward = restore();
  speak(language);
  tell("set");
  if (isBackward !== backward) setBackward(isBackward);
});
showSight();
root.dataset.ready = "";
