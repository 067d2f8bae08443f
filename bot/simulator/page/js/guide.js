// The guide through a scenario: what to do next, done by hand or by the page.

import { summary } from "./bubble.js";
import { el, icon, spoken } from "./dom.js";
import { FIRST } from "./scenarios.js";

const PAUSE = 900;
const CARD = matchMedia("(min-width: 1180px)");

/** The popover with all scenarios. */
export function drawScenarios(node, scenarios, current) {
  const links = scenarios.map((one) =>
    el(
      "a",
      { class: "scenario", href: `/?scenario=${one.id}`, "aria-current": one === current ? "true" : false },
      el("strong", {}, one.title),
      el("span", {}, one.lead),
    ),
  );
  node.replaceChildren(
    el("header", {}, el("h2", { id: "scenarios-title" }, "Scenarios")),
    el("p", { class: "lead" }, "Each sets up its own phones. Follow the steps, or let the page play them."),
    ...links,
  );
}

export class Guide {
  #node;
  #scenario;
  #people;
  #act;
  #store;
  #number;
  #welcome;
  #did = new Set();
  #playing = false;
  #busy = false;
  #timer = 0;
  #shown = "";

  /**
   * @param {{node: HTMLElement, store: any, scenario: any, people: any[], number: string,
   *          welcome: string,
   *          act: (step: any, customer: any) => Promise<boolean>,
   *          restart: () => void, close: () => void}} options
   */
  constructor({ node, store, scenario, people, number, welcome, act, restart, close }) {
    this.#node = node;
    this.#welcome = welcome;
    this.#store = store;
    this.#scenario = scenario;
    this.people = this.#people = people;
    this.#number = number;
    this.#act = act;
    this.restart = restart;
    this.close = close;
    node.hidden = false;
    CARD.addEventListener("change", () => this.shape());
    this.shape();
    this.refresh();
  }

  /** A card beside the phones where there is room, a strip above them elsewhere. */
  shape() {
    const room = CARD.matches && !document.body.classList.contains("looking");
    this.#node.dataset.shape = room ? "card" : "strip";
  }

  /** Which step is next: steps that were said can be seen in the chats. */
  get at() {
    const { steps } = this.#scenario;
    const said = this.#people
      .flatMap((one) => this.#store.messages(one.id, this.#number))
      .filter((one) => one.author === "customer")
      .sort((a, b) => a.at.localeCompare(b.at) || a.order - b.order);
    let next = 0;
    let from = 0;
    for (let n = 0; n < steps.length; n += 1) {
      if (!isSaid(steps[n].do)) {
        if (this.#did.has(n) && next === n) next = n + 1;
        continue;
      }
      const found = said.findIndex((one, m) => m >= from && this.#matches(steps[n].do, one));
      if (found < 0) break;
      from = found + 1;
      next = n + 1;
    }
    return next;
  }

  /** Shows what is next. */
  refresh() {
    const { steps, title, lead, after } = this.#scenario;
    const at = this.at;
    const step = steps[at];
    const ready = Boolean(step) && this.#ready(step.do);
    const drawn = `${at} ${ready} ${this.#playing} ${this.#busy}`;
    if (drawn !== this.#shown) {
      this.#shown = drawn;
      const focused = document.activeElement?.dataset?.guide;
      this.#node.replaceChildren(
        ...(this.#welcome ? [el("p", { class: "welcome" }, this.#welcome)] : []),
        el("h2", {}, title),
        el("p", { class: "lead" }, lead),
        el("ol", { class: "steps-list" }, ...steps.map((one, n) => this.#line(one, n, at))),
        el("p", { class: "after", hidden: Boolean(step) }, after),
        this.#buttons(step, ready),
      );
      if (focused) this.#node.querySelector(`[data-guide="${focused}"]`)?.focus();
      const list = this.#node.querySelector(".steps-list");
      list.querySelector("[aria-current]")?.scrollIntoView?.({ block: "nearest" });
    }
    if (this.#playing) this.#goOn(step, ready);
  }

  #line(step, n, at) {
    const state = n < at ? "done" : n === at ? "next" : "later";
    const names = this.#people.length > 1 && step.do.who !== undefined;
    return el(
      "li",
      { class: state, "aria-current": state === "next" ? "step" : false },
      state === "done" ? icon("done") : el("span", { class: "dot", "aria-hidden": "true" }),
      el(
        "span",
        { dir: "auto" },
        state === "done" && spoken("Done: "),
        step.text,
        names && el("em", { class: "whose" }, this.#people[step.do.who].name),
      ),
    );
  }

  #buttons(step, ready) {
    const doIt = el("button", { class: "primary", type: "button", "data-guide": "do" }, "Do it");
    doIt.disabled = !ready || this.#busy || this.#playing;
    doIt.addEventListener("click", () => this.#do(step));
    const play = el("button", { class: "quiet", type: "button", "data-guide": "play" });
    play.append(this.#playing ? "Pause" : "Play");
    play.addEventListener("click", () => {
      this.#playing = !this.#playing;
      clearTimeout(this.#timer);
      this.refresh();
    });
    const again = el("button", { class: "quiet", type: "button", "data-guide": "again" }, "Start over");
    again.addEventListener("click", () => this.restart());
    const close = el("button", { class: "shut", type: "button", "aria-label": "Close the guide" });
    close.append(icon("close"));
    close.addEventListener("click", () => {
      this.#playing = false;
      clearTimeout(this.#timer);
      this.#node.hidden = true;
      this.close();
    });
    return el("div", { class: "guide-ends" }, step && doIt, step && play, again, close);
  }

  #goOn(step, ready) {
    clearTimeout(this.#timer);
    if (!step) {
      this.#playing = false;
      this.refresh();
    } else if (ready && !this.#busy) this.#timer = setTimeout(() => this.#do(step), PAUSE);
  }

  async #do(step) {
    if (this.#busy) return;
    const n = this.#scenario.steps.indexOf(step);
    this.#busy = true;
    this.refresh();
    const done = await this.#act(step.do, this.#people[step.do.who ?? 0]);
    if (done && !isSaid(step.do)) this.#did.add(n);
    if (!done) this.#playing = false;
    this.#busy = false;
    this.refresh();
  }

  #ready(deed) {
    if (deed.once && !isAsked(this.#messagesOf(deed.once.who), deed.once)) return false;
    if (deed.calm) return true;
    if (!isSaid(deed)) return this.#people.every((one) => this.#isAnswered(one));
    const messages = this.#messagesOf(deed.who);
    if (deed.tap || deed.pick) return Boolean(choiceFor(messages, deed));
    const last = messages.at(-1);
    return !last || last.author === "business" || last.status === "read" || last.status === "delivered";
  }

  #isAnswered(customer) {
    const last = this.#store.messages(customer.id, this.#number).at(-1);
    return !last || last.author === "business";
  }

  #messagesOf(who) {
    return this.#store.messages(this.#people[who].id, this.#number);
  }

  #matches(deed, message) {
    if (message.customer_id !== this.#people[deed.who].id) return false;
    const { content, kind } = message;
    const template = kind === "button" && { title: content.text };
    const reply = template || (content.button_reply ?? content.list_reply);
    if (deed.say) return message.kind === "text" && alike(message.content.body, deed.say);
    if (deed.send) return message.kind !== "text" && !reply;
    if (deed.tap) return Boolean(reply) && (deed.tap === FIRST || alike(reply.title, deed.tap));
    return Boolean(message.content.list_reply);
  }
}

const isSaid = (deed) => Boolean(deed.say || deed.send || deed.tap || deed.pick);

const alike = (one, other) => one.trim().toLowerCase() === other.trim().toLowerCase();

/** Whether a customer was told or offered something since they wrote last: `{says}` or `{offers}`. */
export function isAsked(messages, { says, offers }) {
  const fresh = messages.slice(messages.findLastIndex((one) => one.author === "customer") + 1);
  if (offers) return Boolean(choiceFor(fresh, { tap: offers }));
  return fresh.some((one) => summary(one).includes(says));
}

/** The newest choice that a deed means: `{message, id}`, or nothing yet. */
export function choiceFor(messages, deed) {
  for (const message of [...messages].reverse()) {
    if (message.author === "customer") continue;
    const action = message.content?.action ?? {};
    const rows = (action.sections ?? []).flatMap((section) => section.rows);
    if (deed.pick) {
      if (action.button !== deed.pick.list) continue;
      const { row } = deed.pick;
      const found = typeof row === "number" ? rows[Math.min(row, rows.length - 1)] : rows.find((one) => one.title === row);
      return found ? { message, id: found.id } : null;
    }
    const buttons = (action.buttons ?? []).map((one) => one.reply);
    const shown = message.kind === "template" ? message.content.shown.buttons : [];
    const all = [...buttons, ...rows, ...shown.map((one) => ({ id: one.payload, title: one.title }))];
    const found = deed.tap === FIRST ? all[0] : all.find((one) => alike(one.title, deed.tap));
    if (found) return { message, id: found.id };
  }
  return null;
}
