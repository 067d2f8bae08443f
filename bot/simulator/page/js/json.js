// JSON for people: indented, in colours, short things on one line. Text stays text.

import { el } from "./dom.js";

const SHORT = 64;

/** A value as an element. */
export function json(value) {
  return el("pre", { class: "json", tabindex: "0", dir: "ltr" }, ...parts(value, ""));
}

/** A value on one line, cut where it is long. */
export function brief(value, most = 160) {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function parts(value, indent) {
  if (value === null || typeof value !== "object") return [scalar(value)];
  const entries = Array.isArray(value) ? value.map((one) => [null, one]) : Object.entries(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (!entries.length) return [open + close];
  const flat = JSON.stringify(value).length <= SHORT;
  const inner = flat ? indent : `${indent}  `;
  const found = [open];
  entries.forEach(([name, one], n) => {
    found.push(flat ? (n ? " " : "") : `\n${inner}`);
    if (name !== null) found.push(el("span", { class: "j-key" }, JSON.stringify(name)), ": ");
    found.push(...parts(one, inner));
    if (n < entries.length - 1) found.push(",");
  });
  found.push(flat ? close : `\n${indent}${close}`);
  return found;
}

function scalar(value) {
  const kind = typeof value === "string" ? "j-text" : "j-other";
  return el("span", { class: kind }, JSON.stringify(value));
}
