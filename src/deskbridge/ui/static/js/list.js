import { all, find, onContent } from "./dom.js";

// The cursor walks the rows; selection is the rows' own check boxes.
const rows = () => all("#rows > tr");
let at = -1;
let lastChecked = null;

export function moveCursor(step) {
  const list = rows();
  if (!list.length) return;
  at = Math.max(0, Math.min(list.length - 1, at + step));
  list.forEach((row, index) => row.classList.toggle("cursor", index === at));
  find("a", list[at]).focus({ preventScroll: true });
  list[at].scrollIntoView({ block: "nearest" });
}

export const openCurrent = () => find("a", rows()[at] ?? document.createElement("i"))?.click();

export function toggleCurrent() {
  const box = find("[type=checkbox]", rows()[at] ?? document.createElement("i"));
  if (box) box.checked = !box.checked;
  showSelection();
}

export function clearSelection() {
  for (const box of all("#rows :checked")) box.checked = false;
  showSelection();
}

function showSelection() {
  const bar = find("#bulk");
  if (!bar) return;
  const count = all("#rows :checked").length;
  bar.hidden = !count;
  find("[data-count]", bar).textContent = count;
}

document.addEventListener("click", event => {
  if (event.target.closest("[data-clear]")) return clearSelection();
  const box = event.target.closest("#rows [type=checkbox]");
  if (!box) return;
  const boxes = all("#rows [type=checkbox]");
  const index = boxes.indexOf(box);
  if (event.shiftKey && lastChecked !== null) {
    const [from, to] = [Math.min(index, lastChecked), Math.max(index, lastChecked)];
    for (const other of boxes.slice(from, to + 1)) other.checked = box.checked;
  }
  lastChecked = index;
  showSelection();
});

// The address says what is shown: filtering in place replaces it, so that a reload or a copied link agree.
document.addEventListener("htmx:after:swap", event => {
  const { sourceElement, request } = event.detail.ctx;
  if (!sourceElement?.matches("[data-address]") || request.method !== "GET") return;
  history.replaceState(history.state, "", request.action);
  at = -1;
});

// A ticket page knows its neighbours and its way back from the list it was opened from.
onContent(() => {
  showSelection();
  if (!find("#rows")) return;
  const numbers = rows().map(row => row.dataset.number);
  remember({ address: location.pathname + location.search, numbers });
});

const here = find("[data-ticket]")?.dataset.ticket;
if (here) {
  const { address, numbers } = recall();
  const back = find("[data-back]");
  if (back && address) back.href = address;
  const place = numbers.indexOf(here);
  for (const [selector, number] of [["[data-previous]", numbers[place - 1]], ["[data-next]", numbers[place + 1]]]) {
    const link = find(selector);
    if (!link || place < 0 || !number) continue;
    link.href = `/desk/tickets/${number}`;
    link.hidden = false;
  }
}

function remember(list) {
  try { sessionStorage.setItem("list", JSON.stringify(list)); } catch { /* then a ticket shows no neighbours */ }
}

function recall() {
  try { return JSON.parse(sessionStorage.getItem("list")) ?? { numbers: [] }; } catch { return { numbers: [] }; }
}
