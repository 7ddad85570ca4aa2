// Runs before the first paint, so that neither the theme nor what needs script flashes.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    for (const name of ["theme", "density"]) {
      if (localStorage[name]) root.dataset[name] = localStorage[name];
    }
  } catch { /* storage may be barred: the system's theme holds */ }
})();
