// When all is there.

async function start() {
  paint();
  try {
    viz = await Viz.instance();
  } catch (error) {
    panel.textContent = `This browser cannot lay the graph out, for which it needs WebAssembly (${error}).`;
    return;
  }
  draw();
  showHelp();
  root.dataset.ready = "true"; // for those who wait for it
}

start();
