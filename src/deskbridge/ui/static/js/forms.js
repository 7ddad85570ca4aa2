import { all, find, onContent, words } from "./dom.js";

// Errors: the summary takes the focus, so that it is read first and its links are next.
onContent(() => find(".error-summary")?.focus());

// Leaving a guarded form with changed fields asks first.
const changed = form => [...form.elements].some(field =>
  field.type === "select-one" ? !field.options[field.selectedIndex]?.defaultSelected && field.selectedIndex > 0
    : "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue);

addEventListener("beforeunload", event => {
  if (all("form[data-guard]").some(form => !form.dataset.sent && changed(form))) event.preventDefault();
});

// A form goes out once: the second click of a double click finds the button busy.
document.addEventListener("submit", event => {
  const form = event.target;
  if (event.defaultPrevented && !form.matches("[hx-post]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (form.method === "post") {
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
  }
}, true);

// A choice made in a menu closes the menu.
document.addEventListener("submit", event => event.target.closest("[popover]")?.hidePopover());

export function release(form) {
  delete form.dataset.sent;
  for (const button of all("[aria-busy]", form)) button.removeAttribute("aria-busy");
}

// Back from another page by the browser's cache: what was sent may be sent anew.
addEventListener("pageshow", event => event.persisted && all("form[data-sent]").forEach(release));

// Somebody new has the time zone of the browser they register with.
for (const field of all("[data-time-zone]")) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone;

// Copy buttons
document.addEventListener("click", async event => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = new URL(button.dataset.copy, location.href).href;
  try {
    await navigator.clipboard.writeText(text);
    document.dispatchEvent(new CustomEvent("desk:say", { detail: words.copied }));
  } catch {
    document.dispatchEvent(new CustomEvent("desk:say", { detail: text }));
  }
});
