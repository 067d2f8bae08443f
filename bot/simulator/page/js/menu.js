// Small menus: what to attach, what to do with a message, what to do with a phone.

import { el, icon, trapTab } from "./dom.js";

/**
 * Opens a menu beside `opener` inside `screen`.
 * @param {HTMLElement} screen
 * @param {HTMLElement} opener
 * @param {string} kind a class
 * @param {{icon?: string, text: string, short?: string, tone?: string, run: () => void}[]} items
 */
export function openMenu(screen, opener, kind, items) {
  const close = () => {
    cover.remove();
    opener.setAttribute("aria-expanded", "false");
    if (opener.isConnected) opener.focus({ preventScroll: true });
  };
  const menu = el("div", { class: `menu ${kind}`, role: "menu" });
  for (const item of items) {
    const run = () => {
      close();
      item.run();
    };
    const symbol = item.icon && el("span", { class: `disc ${item.tone ?? ""}` }, icon(item.icon));
    menu.append(
      el(
        "button",
        { role: "menuitem", type: "button", "aria-label": item.text, on: { click: run } },
        symbol,
        el("span", {}, item.short ?? item.text),
      ),
    );
  }
  const cover = el("div", { class: "clear-cover" }, menu);
  cover.addEventListener("click", (event) => event.target === cover && close());
  cover.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (!walk(event, menu)) trapTab(event, menu);
    event.stopPropagation();
  });
  screen.append(cover);
  place(menu, opener, screen);
  opener.setAttribute("aria-expanded", "true");
  menu.querySelector("button").focus({ preventScroll: true });
}

function walk(event, menu) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return false;
  const items = [...menu.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  items[(at + step + items.length) % items.length].focus();
  event.preventDefault();
  return true;
}

function place(menu, opener, screen) {
  const box = screen.getBoundingClientRect();
  const at = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.min(Math.max(at.left - box.left, 8), box.width - width - 8);
  const below = at.bottom - box.top + 4;
  const above = at.top - box.top - height - 8;
  menu.style.left = `${left}px`;
  menu.style.top = `${Math.max(8, below + height > box.height - 8 ? above : below)}px`;
}
