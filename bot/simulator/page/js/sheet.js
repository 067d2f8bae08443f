// What slides up from the bottom of a phone: lists, and forms too. Focus stays inside until it is closed.

import { el, icon, trapTab } from "./dom.js";

let made = 0;

/**
 * Opens a sheet over `screen`, whose other parts rest meanwhile.
 * @param {HTMLElement} screen
 * @param {string} title
 * @param {(close: () => void) => Node[]} fill
 * @param {{name?: string, back?: () => boolean}} [more] a class of its own, and how one gets back
 *   within it: false when there is no way back
 */
export function openSheet(screen, title, fill, { name = "", back } = {}) {
  const opener = document.activeElement;
  const resting = [...screen.children];
  made += 1;
  const id = `sheet-${made}`;
  const close = () => {
    for (const part of resting) part.inert = false;
    cover.remove();
    if (opener?.isConnected) opener.focus({ preventScroll: true });
  };
  const leave = () => back?.() || close();
  const shut = el(
    "button",
    { class: "shut", type: "button", "aria-label": "Close", on: { click: leave } },
    icon("close"),
  );
  const heading = el("h2", { id, dir: "auto" }, title);
  const inside = el("div", { class: "inside" }, ...fill(close));
  const sheet = el(
    "div",
    { class: `sheet ${name}`, role: "dialog", "aria-modal": "true", "aria-labelledby": id, tabindex: "-1" },
    el("header", {}, shut, heading),
    inside,
  );
  const cover = el("div", { class: "cover" }, sheet);
  cover.addEventListener("click", (event) => event.target === cover && close());
  cover.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    else trapTab(event, sheet);
    event.stopPropagation();
  });
  for (const part of resting) part.inert = true;
  screen.append(cover);
  (sheet.querySelector(".row, textarea") ?? shut).focus({ preventScroll: true });
  return {
    close,
    title(text, deeper) {
      heading.textContent = text;
      shut.replaceChildren(icon(deeper ? "back" : "close"));
      shut.setAttribute("aria-label", deeper ? "Back" : "Close");
    },
    fill(nodes) {
      inside.replaceChildren(...nodes);
      inside.scrollTop = 0;
      const first = inside.querySelector("input, select, textarea, button");
      (first ?? shut).focus({ preventScroll: true });
    },
  };
}

/** The list of a list message. `chosen` is the row that was picked before. */
export function openList(screen, message, chosen, pick) {
  const action = message.content.action;
  openSheet(screen, action.button, (close) => {
    const parts = [];
    for (const section of action.sections) {
      if (section.title) parts.push(el("h3", { dir: "auto" }, section.title));
      for (const row of section.rows) parts.push(rowButton(row, row.id === chosen, close, pick));
    }
    const list = el("div", { class: "rows" }, ...parts);
    list.addEventListener("keydown", (event) => walk(event, list));
    return [list];
  });
}

function rowButton(row, chosen, close, pick) {
  const text = el("span", { class: "row-text" }, el("strong", { dir: "auto" }, row.title));
  if (row.description) text.append(el("span", { dir: "auto" }, row.description));
  const choose = () => {
    close();
    pick(row);
  };
  return el(
    "button",
    { class: "row", type: "button", "aria-current": chosen ? "true" : false, on: { click: choose } },
    text,
    el("span", { class: "radio", "aria-hidden": "true" }),
  );
}

function walk(event, list) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const ends = { Home: 0, End: -1 }[event.key];
  if (step === undefined && ends === undefined) return;
  const rows = [...list.querySelectorAll(".row")];
  const at = rows.indexOf(document.activeElement);
  const next = ends === undefined ? rows[(at + step + rows.length) % rows.length] : rows.at(ends);
  next.focus();
  event.preventDefault();
}
