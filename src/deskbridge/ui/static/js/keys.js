import { all, find, isTyping, store, words } from "./dom.js";
import { clearSelection, moveCursor, openCurrent, toggleCurrent } from "./list.js";

// One registry: what an element with data-key does by click, and what only a key does. Help lists the same.
const CHORD_TIME = 900;
let pending = "";
let chordTimer;

const ownCommands = () => [
  ...(find("#rows") ? [
    ["j", words.next, () => moveCursor(1)],
    ["k", words.previous, () => moveCursor(-1)],
    ["o", words.open, openCurrent],
    ["x", words.select, toggleCurrent],
    ["Escape", words.clear, clearSelection],
  ] : []),
  ["?", words.help, showHelp],
];
const commands = () => [
  ...all("[data-key]").filter(usable).map(element => [element.dataset.key, labelOf(element), () => use(element)]),
  ...ownCommands(),
];
const usable = element => !element.hidden && !element.disabled;
const labelOf = element =>
  element.dataset.keyLabel ?? element.ariaLabel ?? element.labels?.[0]?.textContent ?? element.textContent.trim();

function use(element) {
  if (isTyping(element)) return element.focus();
  element.click();
  if (element.matches("summary")) find("textarea, select, input:not([type=hidden])", element.parentElement)?.focus();
  if (element.matches("[type=radio]")) find("textarea", element.form)?.focus();
}

// The exact key as typed, without Ctrl, Alt or Meta: browser shortcuts and AltGr characters stay what they are.
addEventListener("keydown", event => {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  if (isTyping(event.target) || find("dialog:modal") || store.get("singleKeys") === "off") return;
  const known = commands();
  const chord = pending ? `${pending} ${event.key}` : event.key;
  const hit = known.find(([key]) => key === chord) ?? known.find(([key]) => key === event.key);
  clearTimeout(chordTimer);
  chordTimer = setTimeout(() => { pending = ""; }, CHORD_TIME);
  pending = !hit && known.some(([key]) => key.startsWith(`${event.key} `)) ? event.key : "";
  if (!hit) return;
  event.preventDefault();
  hit[2]();
});

document.addEventListener("click", event => event.target.closest("[data-help]") && showHelp());

function showHelp() {
  const dialog = find("#keys");
  if (!dialog || dialog.open) return;
  const listed = new Map(commands().map(([key, label]) => [key, label]));
  find("tbody", dialog).replaceChildren(...[...listed].map(helpRow));
  find("[data-single-keys]", dialog).checked = store.get("singleKeys") !== "off";
  dialog.showModal();
}

function helpRow([key, label]) {
  const row = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = label;
  const cell = document.createElement("td");
  cell.className = "end";
  for (const part of key.split(" ")) {
    const cap = document.createElement("kbd");
    cap.textContent = part;
    cell.append(cap, " ");
  }
  row.append(name, cell);
  return row;
}

document.addEventListener("change", event => {
  if (event.target.matches("[data-single-keys]")) store.set("singleKeys", event.target.checked ? "on" : "off");
});
