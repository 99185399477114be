// The drawing as a file: as it is now, with its colours.

function asText() {
  const all = extent([...shown.nodes.values(), ...shown.frames.values()]), around = 12;
  const copy = drawing.cloneNode(true);
  copy.firstElementChild.removeAttribute("transform");
  for (const made of copy.querySelectorAll("[tabindex], [role], [aria-expanded]"))
    for (const name of ["tabindex", "role", "aria-expanded"]) made.removeAttribute(name);
  for (const made of copy.querySelectorAll(".opener")) made.remove();
  const width = Math.ceil(all.width + 2 * around), height = Math.ceil(all.height + 2 * around);
  const attributes = { xmlns: SVG, width, height, viewBox: `${all.x - around} ${all.y - around} ${width} ${height}`, role: "img" };
  for (const [key, value] of Object.entries(attributes)) copy.setAttribute(key, value);
  copy.setAttribute("class", root.classList.contains("dark") ? "dark" : "");
  const style = svg("style");
  style.textContent = $("drawing-style").textContent + (root.classList.contains("dark") ? $("dark").textContent : "");
  const paper = svg("rect", { x: all.x - around, y: all.y - around, width, height, class: "paper" });
  copy.prepend(style, paper);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

function save(blob, ending) {
  const address = URL.createObjectURL(blob), name = data.title.replace(/[^\p{L}\p{N}_-]+/gu, "_").slice(0, 60) || "graph";
  make("a", null, { href: address, download: `${name}.${ending}` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

$("save-svg").addEventListener("click", () => save(new Blob([asText().text], { type: "image/svg+xml" }), "svg"));

const MOST_PIXELS = 60e6;

$("save-png").addEventListener("click", async () => {
  const { text, width, height } = asText(), by = Math.min(2, Math.sqrt(MOST_PIXELS / (width * height)));
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const canvas = make("canvas", null, { width: Math.floor(width * by), height: Math.floor(height * by) });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(blob, "png"), "image/png");
});
