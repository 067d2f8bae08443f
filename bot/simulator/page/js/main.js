// The chat page: customers' phones side by side.

import { api } from "./api.js";
import { drawClock, drawTabs, newPhone, tick } from "./bar.js";
import { el, toast } from "./dom.js";
import { Phone } from "./phone.js";
import { Store } from "./store.js";

const MOST_PHONES = 3;
const SHOWN = "usual.phones";

const store = new Store();
const stage = document.getElementById("stage");
const tabs = document.getElementById("tabs");
const clock = document.getElementById("clock");
/** @type {Phone[]} */
let phones = [];
let current = null;

start().catch((error) => {
  stage.replaceChildren(el("p", { class: "nothing" }, `The simulator cannot be reached. ${error.message}`));
});

async function start() {
  await store.start();
  if (!store.customers.size) {
    const ana = await api.addCustomer({ name: "Ana" });
    store.customers.set(ana.id, ana);
  }
  const shown = remembered().filter((id) => store.customers.has(id));
  const first = shown.length ? shown : [store.customers.keys().next().value];
  for (const id of first.slice(0, MOST_PHONES)) show(store.customers.get(id));
  choose(phones[0]);
  drawClock(clock, store);
  setInterval(everySecond, 1000);
  document.getElementById("add").addEventListener("click", addPhone);
  document.addEventListener("visibilitychange", () => phones.forEach((phone) => phone.refresh()));
  for (const type of ["world", "talk", "message", "typing", "clock", "connection"]) {
    store.addEventListener(type, (event) => take(type, event.detail));
  }
}

function take(type, detail) {
  if (type === "world" && phones.some((phone) => !store.customers.has(phone.customer.id))) {
    location.reload(); // another world: the simulator was started afresh
    return;
  }
  for (const phone of phones) phone.take(type, detail);
  if (type === "clock") tick(clock);
  if (type === "world") drawTabs(tabs, phones, current, choose);
  title();
}

function everySecond() {
  tick(clock);
  for (const phone of phones) phone.tick();
}

function title() {
  let unread = 0;
  for (const phone of phones) {
    for (const one of store.numbers) unread += store.unread(phone.customer.id, one.phone_number_id);
  }
  const away = document.visibilityState !== "visible";
  document.title = unread && away ? `(${unread}) Usual` : "Usual";
}

function show(customer) {
  const phone = new Phone({
    store,
    customer,
    number: store.numbers[0].phone_number_id,
    close: () => putAway(phone),
  });
  phones.push(phone);
  stage.append(phone.node);
  return phone;
}

function putAway(phone) {
  if (phones.length === 1) {
    toast("One phone has to stay.");
    return;
  }
  phones = phones.filter((one) => one !== phone);
  phone.node.remove();
  choose(current === phone ? phones[0] : current);
}

function choose(phone) {
  current = phone;
  for (const one of phones) one.node.classList.toggle("current", one === phone);
  stage.dataset.phones = String(phones.length);
  drawTabs(tabs, phones, current, choose);
  remember();
  phone.refresh();
  if (matchMedia("(hover: hover)").matches) phone.focus();
}

function addPhone() {
  const here = new Set(phones.map((phone) => phone.customer.id));
  const others = [...store.customers.values()].filter((one) => !here.has(one.id));
  newPhone(document.getElementById("new-phone"), others, (customer) => {
    store.customers.set(customer.id, customer);
    if (phones.length === MOST_PHONES) putAway(phones.find((phone) => phone !== current));
    choose(show(customer));
  });
}

function remembered() {
  try {
    const ids = JSON.parse(localStorage.getItem(SHOWN) ?? "[]");
    return Array.isArray(ids) ? ids : [];
  } catch {
    return [];
  }
}

function remember() {
  try {
    localStorage.setItem(SHOWN, JSON.stringify(phones.map((phone) => phone.customer.id)));
  } catch {
    // Private windows remember nothing; the page works all the same.
  }
}
