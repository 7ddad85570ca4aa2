import { all, find, isTyping, words } from "./dom.js";
import { toast } from "./toasts.js";

// What others do shows by itself: parts marked data-live are fetched anew when the stream tells of what they show.
// A browser has few connections to a host, so that only pages that are seen listen; one that comes back looks first.
const EVENTS = [
  "TicketOpened", "TicketUpdated", "PriorityChanged", "StatusChanged", "AssignmentChanged", "TicketEscalated",
  "MessageAdded", "MessageEdited", "MessageDeleted", "AttachmentAdded", "AttachmentDeleted", "TimeLogged",
  "TicketMerged", "TicketUnmerged", "SlaWarning", "SlaBreached", "TicketLinked", "TicketUnlinked", "LinkPaused",
  "SyncConflicted", "SyncConflictSettled", "reset",
];
const CONNECTION_EVENTS = [
  "ConnectionWentBad", "ConnectionRecovered", "ConnectionChanged", "SyncFailed", "SyncFailureClosed",
];
const SETTLE = 120;
const AGAIN = 5000;
const shown = find("[data-live-ticket]")?.dataset.liveTicket;
const told = find("[data-live-connections]") ? [...EVENTS, ...CONNECTION_EVENTS] : EVENTS;
let stream;
let waiting;
let lastSeen = Date.now();

if (find("[data-live]")) {
  listen();
  document.addEventListener("visibilitychange", () => document.hidden ? hush() : listen(true));
  addEventListener("pagehide", hush);
  addEventListener("pageshow", event => event.persisted && listen(true));
}

function listen(again = false) {
  if (stream || document.hidden) return;
  stream = new EventSource("/api/v1/stream");
  for (const name of told) stream.addEventListener(name, hear);
  if (again) soon();
  else lookAgain();
}

function hush() {
  clearTimeout(waiting);
  stream?.close();
  stream = undefined;
}

function hear({ type, data }) {
  const { ticket } = JSON.parse(data);
  if (shown && ticket && String(ticket.number) !== shown) return;
  if (shown && type === "MessageAdded") toast(words.newMessage);
  soon();
}

/** Several events of one change, or of a busy moment, make one request. */
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, SETTLE);
}

async function refresh() {
  const asked = lastSeen = Date.now();
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || asked !== lastSeen) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of all("[data-live]")) {
    const fresh = find(`#${part.id}`, page);
    if (!fresh || isBusy(part)) continue;
    if (part.dataset.live === "rows") refreshRows(part, fresh);
    else refreshPart(part, fresh);
  }
  document.dispatchEvent(new Event("desk:content"));
  lookAgain();
}

/** What waits goes on without an event for each step, so that a page that shows it looks again. */
function lookAgain() {
  if (find("[data-live-again]") && !document.hidden) waiting = setTimeout(refresh, AGAIN);
}

/** Nobody loses what they type, or a panel they have open, to what somebody else does. */
const isBusy = part =>
  (part.contains(document.activeElement) && isTyping(document.activeElement)) ||
  Boolean(find("details[open]:not(.fold, .details), :popover-open", part));

/** Details that are open to begin with stay as their reader left them. */
function refreshPart(part, fresh) {
  const left = all(".details", part).map(one => one.open);
  all(".details", fresh).forEach((one, place) => { one.open = left[place] ?? one.open; });
  part.replaceChildren(...fresh.childNodes);
}

/** Rows change where they are; a new order waits until it is asked for, so that nobody clicks on another row. */
function refreshRows(part, fresh) {
  let moved = fresh.children.length !== part.children.length;
  [...fresh.children].forEach((row, place) => {
    const old = row.id && find(`#${row.id}`, part);
    moved ||= part.children[place]?.id !== row.id;
    if (!old) return;
    const box = find("[type=checkbox]", old);
    if (box?.checked) find("[type=checkbox]", row).checked = true;
    const focused = old.contains(document.activeElement);
    old.className = row.className;
    old.replaceChildren(...row.childNodes);
    if (focused) find("a", old)?.focus({ preventScroll: true });
  });
  const note = find("[data-live-note]");
  if (note) note.hidden = !moved;
}
