import { all, find, store, words } from "./dom.js";

// Drafts: kept per person, ticket and audience, so that a note never turns up in the reply box.
const AUTOSAVE = 400;
let saveTimer;
let signingOut = false;

const composer = () => find("form[data-draft]");
const audience = form => find("[name=audience]:checked", form)?.value ?? "public";
const draftKey = (form, kind = audience(form)) => `draft:${form.dataset.draft}:${kind}`;
const textOf = form => find("textarea", form);

function save(form = composer()) {
  clearTimeout(saveTimer);
  if (!form || form.dataset.sent || signingOut) return;
  const { value } = textOf(form);
  if (value.trim()) store.set(draftKey(form), value);
  else store.remove(draftKey(form));
  find("[data-saved]", form).textContent = value.trim() ? words.draftSaved : "";
}

function restore(form) {
  textOf(form).value = store.get(draftKey(form)) ?? "";
  form.dataset.kind = audience(form);
}

/** After the server took it: forget the draft and empty the box. */
function clear(form) {
  clearTimeout(saveTimer);
  store.remove(draftKey(form));
  textOf(form).value = "";
  for (const files of all("[type=file]", form)) files.value = "";
  find("[data-saved]", form).textContent = "";
}

function switchAudience(form) {
  const text = textOf(form);
  if (text.value.trim()) store.set(draftKey(form, form.dataset.kind), text.value);
  restore(form);
  text.focus();
}

// A plain post leaves the page: its draft goes when the answer shows that the message arrived.
for (const arrived of all("[data-arrived]")) {
  store.remove(`draft:${arrived.dataset.arrived}`);
  history.replaceState(history.state, "", location.pathname + location.hash);
}

if (composer()) {
  const form = composer();
  // A page that came back with an error brings its own text, which is newer than the draft.
  if (textOf(form).defaultValue) form.dataset.kind = audience(form);
  else restore(form);
}

document.addEventListener("input", event => {
  if (!event.target.matches("form[data-draft] textarea")) return;
  clearTimeout(saveTimer);
  saveTimer = setTimeout(save, AUTOSAVE);
});
document.addEventListener("change", event => {
  if (event.target.matches("form[data-draft] [name=audience]")) switchAudience(event.target.form);
});
addEventListener("pagehide", () => save());

// Signing out leaves no words of this person behind in the browser.
document.addEventListener("submit", event => {
  if (!event.target.matches("[data-forget]")) return;
  signingOut = true;
  for (const key of store.keys()) if (key.startsWith("draft:")) store.remove(key);
});

document.addEventListener("htmx:after:request", event => {
  const { sourceElement, response } = event.detail.ctx;
  if (sourceElement.matches("form[data-draft]") && response.status < 300) clear(sourceElement);
});
document.addEventListener("keydown", event => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
  const form = event.target.closest?.("textarea")?.form;
  if (!form) return;
  event.preventDefault();
  form.requestSubmit(find("[type=submit], button:not([type])", form));
});
