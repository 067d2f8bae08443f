// The dialog that gives somebody a phone, or takes one out again that was put away.

import { api } from "./api.js";
import { avatar, el, icon } from "./dom.js";

/** `others` are customers whose phones are put away; `made` gets the customer. */
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

/** A customer as the simulator wants to hear of it. */
export function wanted(name, phone, hidden) {
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
    const text = el("span", { dir: "auto" }, customer.name);
    return el("button", { type: "button", on: { click: take } }, avatar(customer.name), text);
  });
  return el("div", { class: "known" }, el("h3", {}, icon("person"), "Put away earlier"), ...rows);
}
