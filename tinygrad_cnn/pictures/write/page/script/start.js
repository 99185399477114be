// When all is there.

paint();
prepare();
const first = location.hash.slice(1);
await restore(first);
if (!first) pixel.restore(data.pixel);
root.dataset.ready = "true"; // for those who wait for it
