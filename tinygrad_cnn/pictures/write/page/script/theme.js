// Light and dark: as the reader's system has it, until the button says otherwise.

const prefersDark = matchMedia("(prefers-color-scheme: dark)"), root = document.documentElement;
let theme = root.dataset.theme;
function applyTheme() {
  const isDark = theme === "dark" || (theme === "auto" && prefersDark.matches);
  root.classList.toggle("dark", isDark);
  $("dark").media = isDark ? "all" : "not all";
}
prefersDark.addEventListener("change", applyTheme);
$("theme").addEventListener("click", () => {
  theme = root.classList.contains("dark") ? "light" : "dark";
  applyTheme();
});
