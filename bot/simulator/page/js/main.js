// The chat page: customers' phones side by side, a guide beside them, and what is behind a message.

import { api, transcriptUrl } from "./api.js";
import { drawClock, drawTabs, foldTools, tick } from "./bar.js";
import { el, toast } from "./dom.js";
import { choiceFor, drawScenarios, Guide, isAsked } from "./guide.js";
import { newPhone, wanted } from "./new_phone.js";
import { Panel } from "./panel.js";
import { Phone } from "./phone.js";
import { kept, keep } from "./remembered.js";
import { SCENARIOS, scenarioNamed } from "./scenarios.js";
import { Store } from "./store.js";
import { Trouble } from "./trouble.js";

const MOST_PHONES = 3;
const MOST_MOVES = 150;
const A_MOMENT = 400;
const SHOWN = "usual.phones";
const LOOKING = "usual.looking";

const WELCOME =
  "You are a customer. The phone is WhatsApp, simulated on this computer; the bot that answers is the real one. Write to it, or follow these steps.";

const byId = (id) => document.getElementById(id);
const store = new Store();
const [stage, tabs, clock, lookButton] = ["stage", "tabs", "clock", "look"].map(byId);
/** @type {Phone[]} */
let phones = [];
let current = null;
let guide = null;
let panel = null;
let trouble = null;

start().catch((error) => {
  stage.replaceChildren(el("p", { class: "nothing" }, `The simulator cannot be reached. ${error.message}`));
});

async function start() {
  await store.start();
  const asked = new URLSearchParams(location.search);
  trouble = new Trouble(byId("trouble"), byId("trouble-count"));
  panel = new Panel({ node: byId("panel"), store, show: mark, close: () => look(false) });
  for (const type of ["world", "talk", "message", "typing", "clock", "connection"]) {
    store.addEventListener(type, (event) => take(type, event.detail));
  }
  const scenario = scenarioNamed(asked.get("scenario") ?? "");
  drawScenarios(byId("scenarios"), SCENARIOS, scenario);
  if (scenario) await setUp(scenario, false);
  else await takeUp();
  drawClock(clock, store);
  setInterval(everySecond, 1000);
  byId("add").addEventListener("click", addPhone);
  byId("save").addEventListener("click", saveWhatIsShown);
  lookButton.addEventListener("click", () => look(byId("panel").hidden));
  foldTools(byId("more-tools"), byId("tools"));
  document.addEventListener("visibilitychange", () => phones.forEach((phone) => phone.refresh()));
  if (asked.has("look") || kept(LOOKING)) look(true);
}

/** The phones that were out before; at the very first visit Ana's, with a guide. */
async function takeUp() {
  const shown = (kept(SHOWN) ?? []).filter((id) => store.customers.has(id));
  if (!store.customers.size) return setUp(SCENARIOS[0], false, WELCOME);
  const first = shown.length ? shown : [store.customers.keys().next().value];
  for (const id of first.slice(0, MOST_PHONES)) show(store.customers.get(id));
  choose(phones[0]);
}

/** Takes out the phones of a scenario, new ones when `afresh`, and opens its guide. */
async function setUp(scenario, afresh, welcome = "") {
  const name = `usual.scenario.${scenario.id}`;
  const before = afresh ? [] : (kept(name) ?? []).map((id) => store.customers.get(id));
  const people = [];
  for (const [n, one] of scenario.people.entries()) {
    const known = before[n]?.name === one.name ? before[n] : null;
    const customer = known ?? (await api.addCustomer(wanted(one.name, "", one.hidden)));
    store.customers.set(customer.id, customer);
    people.push(customer);
  }
  keep(name, people.map((one) => one.id));
  for (const phone of phones) phone.node.remove();
  phones = [];
  for (const customer of people) show(customer);
  choose(phones[0]);
  const number = store.numbers[0].phone_number_id;
  await Promise.all(people.map((one) => store.loadTalk(one.id, number)));
  guide = new Guide({
    node: byId("guide"),
    store,
    scenario,
    people,
    number,
    welcome,
    act: perform,
    restart: () => setUp(scenario, true),
    close: () => {
      guide = null;
      current?.focus();
    },
  });
}

/** Does a step of the guide. */
async function perform(deed, customer) {
  if (deed.trouble) return trouble.start(deed.trouble).then(() => true);
  if (deed.calm) return trouble.end().then(() => true);
  if (deed.clock) return letTimePass(deed);
  const phone = phones.find((one) => one.customer.id === customer.id);
  if (!phone) return failed(new Error(`${customer.name}'s phone was put away.`));
  if (phone !== current) choose(phone);
  if (deed.say) return phone.send({ text: deed.say });
  if (deed.send) return phone.send({ kind: deed.send });
  const choice = choiceFor(store.messages(customer.id, store.numbers[0].phone_number_id), deed);
  return Boolean(choice) && phone.tap(choice.message, choice.id);
}

/** Moves the clock: once, or again and again until somebody has been written to. */
async function letTimePass({ clock: step, until }) {
  const move = step === "tomorrow" ? { to: "tomorrow" } : { advance_seconds: step };
  const talk = () => store.messages(guide.people[until.who].id, store.numbers[0].phone_number_id);
  try {
    for (let n = 0; n < MOST_MOVES && guide; n += 1) {
      if (until && isAsked(talk(), until)) return true;
      await api.moveClock(move);
      if (!until) return true;
      await new Promise((resolve) => setTimeout(resolve, A_MOMENT));
    }
  } catch (error) {
    return failed(error);
  }
  return failed(new Error("That takes longer than expected."));
}

function failed(error) {
  toast(error.message);
  return false;
}

function take(type, detail) {
  if (type === "world" && phones.some((phone) => !store.customers.has(phone.customer.id))) {
    location.reload(); // another world: the simulator was started afresh
    return;
  }
  for (const phone of phones) phone.take(type, detail);
  if (type === "clock") tick(clock);
  if (type === "connection") trouble.refresh();
  if (type === "message") panel.take(detail.message);
  if (type !== "typing") {
    guide?.refresh();
    drawTabs(tabs, phones, current, choose);
  }
  title();
}

function everySecond() {
  tick(clock);
  for (const phone of phones) phone.tick();
}

function title() {
  const unread = phones.reduce((sum, phone) => sum + phone.unread, 0);
  const away = document.visibilityState !== "visible";
  document.title = unread && away ? `(${unread}) Usual` : "Usual";
}

/** Opens or closes the panel. */
function look(on) {
  byId("panel").hidden = !on;
  document.body.classList.toggle("looking", on);
  lookButton.setAttribute("aria-pressed", String(on));
  keep(LOOKING, on);
  guide?.shape();
  if (on) panel.follow();
  else {
    mark(null);
    lookButton.focus();
  }
}

function mark(message, jump) {
  for (const phone of phones) phone.mark(message, jump);
}

const behind = {
  open: (message) => {
    if (byId("panel").hidden) look(true);
    panel.choose(message);
    byId("panel").querySelector(".panel-body").focus({ preventScroll: true });
  },
  choose: (message) => byId("panel").hidden || panel.choose(message),
};

function show(customer) {
  const phone = new Phone({
    store,
    customer,
    number: store.numbers[0].phone_number_id,
    close: () => putAway(phone),
    look: behind,
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
  keep(SHOWN, phones.map((one) => one.customer.id));
  saveWhatIsShown();
  phone.refresh();
  if (matchMedia("(hover: hover)").matches) phone.focus();
}

/** The link saves the chats of all phones with the business whose chat is open on the current one. */
function saveWhatIsShown() {
  const number = current?.number ?? store.numbers[0].phone_number_id;
  byId("save").href = transcriptUrl(number, phones.map((one) => one.customer.id));
}

function addPhone() {
  const here = new Set(phones.map((phone) => phone.customer.id));
  const others = [...store.customers.values()].filter((one) => !here.has(one.id));
  newPhone(byId("new-phone"), others, (customer) => {
    store.customers.set(customer.id, customer);
    if (phones.length === MOST_PHONES) putAway(phones.find((phone) => phone !== current));
    choose(show(customer));
  });
}
