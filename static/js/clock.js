/**
 * Times as the school reads them: in the zone of <body data-zone>, in the language of the page.
 *
 * <time data-since datetime="…"> counts up by itself once `startClocks()` has run. Pages whose script knows
 * the server's clock set the difference with `setServerTime()`, so that a laptop that is five minutes off
 * still shows how long the class has been running.
 */

const zone = document.body.dataset.zone || "UTC";
const language = document.documentElement.lang || "en";
const second = new Intl.DateTimeFormat(language, {
  timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
let ahead = 0;

/** @param {string} iso the server's clock, now */
export function setServerTime(iso) {
  ahead = Date.parse(iso) - Date.now();
}

/** The server's clock, in milliseconds. */
export function now() {
  return Date.now() + ahead;
}

/** "14:32:09" @param {string|number|Date} at */
export const clockSecond = (at) => second.format(new Date(at));

/** "0:40", "13:01", "1:02:03" @param {number} milliseconds */
export function duration(milliseconds) {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function tick() {
  for (const time of document.querySelectorAll("time[data-since]")) {
    time.textContent = time.dateTime ? duration(now() - Date.parse(time.dateTime)) : "";
  }
}

/** Keeps every <time data-since> of the page counting. */
export function startClocks() {
  tick();
  setInterval(tick, 1000);
}
