import { all, store } from "./dom.js";

// Theme and density live in this browser: the same person may want dark at home and light at work.
for (const choice of all("[data-pref]")) {
  const name = choice.dataset.pref;
  choice.checked = choice.value === (store.get(name) ?? "");
  choice.addEventListener("change", () => choose(name, choice.value));
}

function choose(name, value) {
  if (value) {
    store.set(name, value);
    document.documentElement.dataset[name] = value;
  } else {
    store.remove(name);
    delete document.documentElement.dataset[name];
  }
  for (const twin of all(`[data-pref=${name}]`)) twin.checked = twin.value === value;
}
