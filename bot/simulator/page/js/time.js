// Times as a phone shows them, by the simulator's clock.

const HOUR = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
});

let ahead = 0;

/** Takes over the simulator's time. */
export function setNow(iso) {
  ahead = new Date(iso).getTime() - Date.now();
}

export const now = () => new Date(Date.now() + ahead);

export const hour = (date) => HOUR.format(date);

export const shortDay = (date) => SHORT_DAY.format(date);

export const dayKey = (date) => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;

/** "Today", "Yesterday", or the date. */
export function day(date) {
  const today = now();
  if (dayKey(date) === dayKey(today)) return "Today";
  const yesterday = new Date(today);
  yesterday.setDate(today.getDate() - 1);
  return dayKey(date) === dayKey(yesterday) ? "Yesterday" : DAY.format(date);
}
