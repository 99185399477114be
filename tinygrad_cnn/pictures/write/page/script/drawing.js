// The drawing: what Graphviz makes of the DOT.

let viz;

function pictures() {
  return [...boxes.values()]
    .filter((box) => box.value && box.value.picture)
    .map((box) => ({ name: `${box.id}.png`, width: box.value.picture.width, height: box.value.picture.height }));
}

// With what is `now` in the place that `before` had, if they are given; else all of it.
function draw(before, now) {
  const was = element(before) && centre(element(before));
  const scale = zoom ? zoom.getSizes().realZoom : 0;
  if (zoom) zoom.destroy();
  drawing = viz.renderSVGElement(dot(), { images: pictures() });
  drawing.removeAttribute("width");
  drawing.removeAttribute("height");
  for (const image of drawing.querySelectorAll("image")) {
    const name = image.getAttributeNS("http://www.w3.org/1999/xlink", "href") ?? image.getAttribute("href");
    const box = boxes.get(String(name).replace(/\.png$/, ""));
    image.removeAttributeNS("http://www.w3.org/1999/xlink", "href");
    image.dataset.box = box.id;
    image.setAttribute("href", `data:image/png;base64,${box.value.picture.png}`);
  }
  graph.replaceChildren(drawing);
  zoom = svgPanZoom(drawing, { dblClickZoomEnabled: false, minZoom: 0.05, maxZoom: 40, zoomScaleSensitivity: 0.25, fit: true, center: true });
  if (was && element(now)) {
    zoom.zoom(zoom.getZoom() * scale / zoom.getSizes().realZoom);
    const is = centre(element(now));
    zoom.panBy({ x: was.x - is.x, y: was.y - is.y });
  } else fit();
  mark();
  tell("redrawn", drawing);
}

function element(id) {
  return drawing && drawing.getElementById(id);
}

function shownAs(id) {
  const box = boxes.get(id);
  if (element(id)) return id;
  const stand = box && standing(box);
  return stand ? stand.id : null;
}
