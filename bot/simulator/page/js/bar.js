// The bar on top: the simulator's clock, the phones' tabs, the tools.

import { api } from "./api.js";
import { avatar, el, spoken, toast } from "./dom.js";
import { hour, movedBy, now, place, shortDay } from "./time.js";

const STEPS = [
  ["+1 min", { advance_seconds: 60 }],
  ["+15 min", { advance_seconds: 15 * 60 }],
  ["+1 hour", { advance_seconds: 3600 }],
  ["Tomorrow", { to: "tomorrow" }],
];

/** The clock, with buttons when it can be moved. */
export function drawClock(node, store) {
  const parts = [el("time", { class: "clock-time" }), el("span", { class: "clock-place" }, place())];
  if (store.clockMoves) {
    const move = async (by) => {
      try {
        await api.moveClock(by);
      } catch (error) {
        toast(error.message);
      }
    };
    const steps = STEPS.map(([text, by]) =>
      el("button", { type: "button", on: { click: () => move(by) } }, spoken("Move the clock "), text),
    );
    parts.push(el("span", { class: "steps", role: "group", "aria-label": "Move the clock" }, ...steps));
  }
  node.replaceChildren(...parts);
  tick(node);
}

export function tick(node) {
  const time = node.querySelector("time");
  if (!time) return;
  time.textContent = `${shortDay(now())}, ${hour(now())}`;
  const moved = movedBy();
  node.querySelector(".clock-place").textContent = moved ? `${moved} ahead` : place();
  node.title = moved
    ? `The time in ${place()}, ${moved} ahead: what was booked was booked in this time, so the clock stays ahead, also after a restart.`
    : "";
}

/** The tabs of narrow screens. */
export function drawTabs(node, phones, current, choose) {
  node.replaceChildren(
    ...phones.map((phone) =>
      el(
        "button",
        {
          type: "button",
          class: "tab",
          "aria-current": phone === current ? "true" : false,
          on: { click: () => choose(phone) },
        },
        avatar(phone.customer.name),
        el("span", { class: "tab-name", dir: "auto" }, phone.customer.name),
        phone.unread ? el("span", { class: "badge" }, String(phone.unread), spoken(" unread")) : null,
      ),
    ),
  );
}

/** On narrow screens the tools are behind a button. */
export function foldTools(button, tools) {
  const turn = (open) => {
    button.setAttribute("aria-expanded", String(open));
    tools.classList.toggle("open", open);
  };
  const isOpen = () => tools.classList.contains("open");
  button.addEventListener("click", () => turn(!isOpen()));
  tools.addEventListener("click", (event) => {
    if (event.target.closest(".tool, .add")) turn(false);
  });
  document.addEventListener("pointerdown", (event) => {
    if (isOpen() && !tools.contains(event.target) && !button.contains(event.target)) turn(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen()) return;
    turn(false);
    button.focus();
  });
}
