// The bar on top: the simulator's clock, the phones' tabs, and a form for a new phone.

import { api } from "./api.js";
import { avatar, el, icon, spoken, toast } from "./dom.js";
import { hour, now, shortDay } from "./time.js";

const STEPS = [
  ["+1 min", 60],
  ["+15 min", 15 * 60],
  ["+1 hour", 3600],
  ["+1 day", 24 * 3600],
];

/** The clock, with buttons when it can be moved. */
export function drawClock(node, store) {
  const time = el("time", { class: "clock-time" });
  const parts = [time];
  if (store.clockMoves) {
    const move = async (seconds) => {
      try {
        await api.advance(seconds);
      } catch (error) {
        toast(error.message);
      }
    };
    const steps = STEPS.map(([text, seconds]) =>
      el("button", { type: "button", on: { click: () => move(seconds) } }, spoken("Move the clock "), text),
    );
    parts.push(el("span", { class: "steps", role: "group", "aria-label": "Move the clock" }, ...steps));
  }
  node.replaceChildren(...parts);
  tick(node);
}

export function tick(node) {
  const time = node.querySelector("time");
  if (time) time.textContent = `${shortDay(now())}, ${hour(now())}`;
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
        el("span", {}, phone.customer.name),
      ),
    ),
  );
}

/** The dialog that gives somebody a phone. `others` are customers whose phones are put away. */
export function newPhone(dialog, others, made) {
  const name = el("input", { name: "name", required: true, maxlength: "60", autocomplete: "off" });
  const phone = el("input", {
    name: "phone",
    inputmode: "tel",
    autocomplete: "off",
    placeholder: "made up for you",
    pattern: "\\+?[0-9 ()\\-]{7,24}",
  });
  const hidden = el("input", { type: "checkbox", name: "hidden" });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const cancel = el("button", { type: "button", on: { click: () => dialog.close() } }, "Cancel");
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id: "new-phone-title" }, "Add a phone"),
    el("label", {}, "Whose is it?", name),
    el("label", {}, "Phone number", phone),
    el("label", { class: "check" }, hidden, "Hide the number from businesses (a user name instead)"),
    wrong,
    el("div", { class: "ends" }, cancel, el("button", { class: "primary" }, "Add")),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      made(await api.addCustomer(wanted(name.value, phone.value, hidden.checked)));
      dialog.close();
    } catch (error) {
      wrong.textContent = error.message;
    }
  });
  dialog.replaceChildren(form);
  if (others.length) dialog.append(known(dialog, others, made));
  dialog.showModal();
  name.focus();
}

function wanted(name, phone, hidden) {
  const customer = { name: name.trim() };
  if (phone.trim()) customer.phone = phone.trim();
  if (hidden) {
    customer.shows_phone = false;
    customer.username = name.trim().toLowerCase().replace(/\s+/g, ".").slice(0, 30);
  }
  return customer;
}

function known(dialog, others, made) {
  const rows = others.map((customer) => {
    const take = () => {
      dialog.close();
      made(customer);
    };
    const text = el("span", {}, customer.name);
    return el("button", { type: "button", on: { click: take } }, avatar(customer.name), text);
  });
  return el("div", { class: "known" }, el("h3", {}, icon("person"), "Put away earlier"), ...rows);
}
