import { find, words } from "./dom.js";
import { release } from "./forms.js";
import { toast } from "./toasts.js";

// Around each htmx request of a form: what it says when done, and what it says when it fails.
document.addEventListener("htmx:after:request", event => {
  const { sourceElement, response, text } = event.detail.ctx;
  if (response.status >= 400 && response.status !== 409 && response.status !== 422) return fail(text);
  if (response.status < 400 && sourceElement.dataset.done) toast(sourceElement.dataset.done);
});
document.addEventListener("htmx:error", () => toast(words.offline));
document.addEventListener("htmx:finally:request", event => {
  const form = event.detail.ctx.request.form ?? event.detail.ctx.sourceElement;
  if (form instanceof HTMLFormElement) release(form);
});
document.addEventListener("desk:say", event => toast(event.detail));

/** The page that came back says why; nothing of it is shown but that sentence, and nothing typed is lost. */
function fail(html) {
  const answer = new DOMParser().parseFromString(html, "text/html");
  toast(find("[data-problem]", answer)?.textContent.trim() || words.failed, 12_000);
}

// A control that vanished with its panel hands the focus to the page, not to nothing.
document.addEventListener("htmx:after:swap", () => {
  const focused = document.activeElement;
  if (!focused || focused === document.body || !focused.checkVisibility()) find("#main")?.focus({ preventScroll: true });
});
