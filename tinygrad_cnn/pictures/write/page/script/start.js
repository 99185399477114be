// What runs once every file above has defined its names.

applyTheme();
prepare();
const first = location.hash.slice(1);
await restore(first);
if (!first) pixel.restore(data.pixel);
root.dataset.ready = "true"; // for tests and benchmarks, which wait for it
