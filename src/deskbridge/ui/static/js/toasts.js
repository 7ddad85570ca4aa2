import { find } from "./dom.js";

/** Say something in passing. The region is polite: it never interrupts a screen reader. */
export function toast(text, milliseconds = 6000) {
  const note = document.createElement("div");
  note.className = "toast";
  note.append(text);
  find("#toasts")?.append(note);
  setTimeout(() => note.remove(), milliseconds);
}
