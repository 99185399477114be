// When all is there.

paint();
prepare();
await restore(location.hash.slice(1));
root.dataset.ready = "true"; // for those who wait for it
