// Light and dark: as the reader's system has it, until the button says otherwise.

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
let theme = root.dataset.theme;

function applyTheme() {
  root.classList.toggle("dark", theme === "dark" || (theme === "auto" && prefersDark.matches));
  tell("themed");
}

prefersDark.addEventListener("change", applyTheme);
$("theme").addEventListener("click", () => {
  theme = root.classList.contains("dark") ? "light" : "dark";
  applyTheme();
});
