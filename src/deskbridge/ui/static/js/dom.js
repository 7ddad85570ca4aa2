// What every module needs: look-ups, words in the reader's language, storage that may be barred.
export const find = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

const wordList = find("#words");
export const words = wordList ? JSON.parse(wordList.textContent) : {};

/** Run now and again after each part of the page that was replaced. */
export function onContent(run) {
  run();
  document.addEventListener("htmx:after:swap", run);
  document.addEventListener("desk:content", run);
}

export const isTyping = element =>
  element instanceof Element &&
  Boolean(element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]"));

export const store = {
  get: key => attempt(() => localStorage.getItem(key)),
  set: (key, value) => attempt(() => localStorage.setItem(key, value)),
  remove: key => attempt(() => localStorage.removeItem(key)),
  keys: () => attempt(() => Object.keys(localStorage)) ?? [],
};

/** Private windows and blocked cookies make storage throw: the page then works without it. */
function attempt(action) {
  try { return action(); } catch { return null; }
}
