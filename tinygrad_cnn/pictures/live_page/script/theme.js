// Light and dark: as the reader's system has it, until the button says otherwise.

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
let theme = root.dataset.theme;

let paperColour = [255, 255, 255], inkColour = [0, 0, 0]; // of drawings

function applyTheme(isPrinted = false) {
  root.classList.toggle("dark", !isPrinted && (theme === "dark" || (theme === "auto" && prefersDark.matches)));
  const style = getComputedStyle(root), numbers = (name) => style.getPropertyValue(name).match(/\d+/g).map(Number);
  [paperColour, inkColour] = [numbers("--pad"), numbers("--pad-ink")];
  tell("themed");
}

prefersDark.addEventListener("change", () => applyTheme());
addEventListener("beforeprint", () => applyTheme(true)); // paper is white
addEventListener("afterprint", () => applyTheme());
$("theme").addEventListener("click", () => {
  theme = root.classList.contains("dark") ? "light" : "dark";
  applyTheme();
});
