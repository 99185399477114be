// What is in sight, and how large.

function fit() {
  zoom.resize();
  zoom.fit();
  if (zoom.getSizes().realZoom > 1) zoom.zoom(zoom.getZoom() / zoom.getSizes().realZoom); // not larger than it is
  zoom.center();
}

// Where a box will be on the page. The browser knows it only when it has drawn the next frame.
function place(node) {
  const all = drawing.querySelector(".svg-pan-zoom_viewport"), inAll = all.getCTM().inverse().multiply(node.getCTM());
  const box = node.getBBox(), outer = graph.getBoundingClientRect(), pan = zoom.getPan(), scale = zoom.getSizes().realZoom;
  return new DOMRect(
    outer.x + pan.x + scale * (inAll.a * box.x + inAll.e), outer.y + pan.y + scale * (inAll.d * box.y + inAll.f),
    scale * inAll.a * box.width, scale * inAll.d * box.height,
  );
}

function centre(node) {
  const { x, y, width, height } = place(node);
  return { x: x + width / 2, y: y + height / 2 };
}

const LEGIBLE = 0.6; // of its size, at which writing can still be read

function keepInSight(node) {
  if (!node) return;
  const outer = graph.getBoundingClientRect(), scale = zoom.getSizes().realZoom;
  const most = Math.min(1, 0.95 * outer.width * scale / place(node).width); // at which it is in sight
  if (at >= 0 && scale < Math.min(LEGIBLE, most)) zoom.zoom(zoom.getZoom() * most / scale);
  const inner = place(node);
  const out = inner.left < outer.left || inner.right > outer.right || inner.top < outer.top || inner.bottom > outer.bottom;
  if (!out) return;
  const { x, y } = centre(node);
  zoom.panBy({ x: (outer.left + outer.right) / 2 - x, y: (outer.top + outer.bottom) / 2 - y });
}
