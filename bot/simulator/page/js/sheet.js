// What slides up from the bottom of a phone: lists and forms. Focus stays inside until it is closed.

import { el, icon, trapTab } from "./dom.js";

let made = 0;

/**
 * Opens a sheet over `screen`, whose other parts rest meanwhile.
 * @param {HTMLElement} screen
 * @param {string} title
 * @param {(close: () => void) => Node[]} fill
 */
export function openSheet(screen, title, fill) {
  const opener = document.activeElement;
  const resting = [...screen.children];
  made += 1;
  const id = `sheet-${made}`;
  const close = () => {
    for (const part of resting) part.inert = false;
    cover.remove();
    if (opener?.isConnected) opener.focus({ preventScroll: true });
  };
  const shut = el(
    "button",
    { class: "shut", type: "button", "aria-label": "Close", on: { click: close } },
    icon("close"),
  );
  const sheet = el(
    "div",
    { class: "sheet", role: "dialog", "aria-modal": "true", "aria-labelledby": id, tabindex: "-1" },
    el("header", {}, shut, el("h2", { id, dir: "auto" }, title)),
    el("div", { class: "inside" }, ...fill(close)),
  );
  const cover = el("div", { class: "cover" }, sheet);
  cover.addEventListener("click", (event) => event.target === cover && close());
  cover.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else trapTab(event, sheet);
    event.stopPropagation();
  });
  for (const part of resting) part.inert = true;
  screen.append(cover);
  (sheet.querySelector(".row, textarea") ?? shut).focus({ preventScroll: true });
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

/** A form message: the simulator does not draw the form, it asks for what the form would answer. */
export function openForm(screen, message, send) {
  const { flow_cta: title, flow_action_payload: given } = message.content.action.parameters;
  openSheet(screen, title, (close) => {
    const box = el("textarea", { rows: "6", spellcheck: "false", "aria-label": "Answer as JSON" });
    box.value = JSON.stringify(given?.data ?? {}, null, 2);
    const wrong = el("p", { class: "wrong", role: "alert" });
    const submit = () => {
      let values;
      try {
        values = JSON.parse(box.value);
      } catch (error) {
        wrong.textContent = `This is not JSON: ${error.message}`;
        return;
      }
      close();
      send(values);
    };
    const explain = "The simulator does not draw forms. Write what this one answers, as JSON:";
    return [
      el("p", {}, explain),
      box,
      wrong,
      el("button", { class: "primary", type: "button", on: { click: submit } }, "Send"),
    ];
  });
}
