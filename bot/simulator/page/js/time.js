// Times as a phone shows them, by the simulator's clock and where the business is.

let ahead = 0;
let moved = 0;
let zone;
let formats = made();

function made() {
  const format = (options) => new Intl.DateTimeFormat(undefined, { timeZone: zone, ...options });
  return {
    hour: format({ hour: "numeric", minute: "2-digit" }),
    exact: format({ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 }),
    day: format({ weekday: "long", day: "numeric", month: "long" }),
    shortDay: format({ weekday: "short", day: "numeric", month: "short" }),
    key: new Intl.DateTimeFormat("en-CA", { timeZone: zone }),
  };
}

/** Takes over the simulator's time, which was moved so many seconds in all. */
export function setNow(iso, seconds) {
  ahead = new Date(iso).getTime() - Date.now();
  moved = seconds;
}

/** How far the clock was moved, in two units at most: "2 d 3 h"; nothing when it was not. */
export function movedBy() {
  const minutes = Math.round(moved / 60);
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor((minutes % 1440) / 60), "h"],
    [minutes % 60, "min"],
  ];
  const shown = parts.filter(([count]) => count).slice(0, 2);
  return shown.map((part) => part.join(" ")).join(" ");
}

/** Shows all times as they are there; without a zone, as they are here. */
export function setZone(name) {
  zone = name ?? undefined;
  formats = made();
}

/** What to call the zone: "New York". */
export const place = () => (zone ?? "").split("/").at(-1).replaceAll("_", " ");

export const now = () => new Date(Date.now() + ahead);

export const hour = (date) => formats.hour.format(date);

/** To the millisecond. */
export const exact = (date) => formats.exact.format(date);

export const shortDay = (date) => formats.shortDay.format(date);

export const dayKey = (date) => formats.key.format(date);

/** "Today", "Yesterday", or the date. */
export function day(date) {
  const today = now();
  if (dayKey(date) === dayKey(today)) return "Today";
  const yesterday = new Date(today);
  yesterday.setDate(today.getDate() - 1);
  return dayKey(date) === dayKey(yesterday) ? "Yesterday" : formats.day.format(date);
}
