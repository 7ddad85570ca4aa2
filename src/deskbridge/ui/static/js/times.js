import { all, onContent } from "./dom.js";

// The server writes the absolute time; the title keeps it when the text turns into "3 min ago".
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const SIX_DAYS = 6 * 86400;
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto", style: "short" });

onContent(showTimes);
setInterval(() => document.hidden || showTimes(), 30_000);
document.addEventListener("visibilitychange", () => document.hidden || showTimes());

function showTimes() {
  for (const time of all("time[data-rel]")) {
    const text = relativeText((new Date(time.dateTime) - Date.now()) / 1000);
    if (text && time.textContent !== text) time.textContent = text;
  }
}

function relativeText(seconds) {
  if (Math.abs(seconds) > SIX_DAYS) return null;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["minute", 60];
  return relative.format(Math.trunc(seconds / size), unit);
}
