// One customer's phone: the list of chats and the open chat.

import { api } from "./api.js";
import { summary, ticks } from "./bubble.js";
import { composer } from "./composer.js";
import { avatar, el, icon, spoken, toast } from "./dom.js";
import { Log } from "./log.js";
import { openMenu } from "./menu.js";
import { openForm } from "./form.js";
import { openList } from "./sheet.js";
import { day, dayKey, hour, now } from "./time.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "🙏"];

export class Phone {
  #store;
  #number = null;
  #log = null;
  #composer = null;
  #reading = false;
  #picked = new Map();

  #look;

  /**
   * @param {{store: any, customer: any, number: string, close: () => void,
   *          look: {open: (message: any) => void, choose: (message: any) => void}}} options
   *   `look` shows what is behind a message: `open` always, `choose` where the panel is open
   */
  constructor({ store, customer, number, close, look }) {
    this.#store = store;
    this.#look = look;
    this.customer = customer;
    this.close = close;
    this.screen = el("div", { class: "screen" });
    this.caption = el("p", { class: "caption" });
    this.node = el(
      "section",
      { class: "phone", "aria-label": `${customer.name}'s phone`, "data-customer": customer.id },
      this.caption,
      el("div", { class: "frame" }, this.screen),
    );
    this.open(number);
  }

  /** Shows the chat with a business. */
  async open(number) {
    this.#number = number;
    const business = this.#store.number(number);
    this.#log = new Log({
      label: `Chat with ${business.name}`,
      ctx: this.#ctx(business),
      watched: () => this.watched,
    });
    this.#composer = composer({
      screen: this.screen,
      business: business.name,
      send: (message) => this.#send(message),
    });
    this.#fill();
    const chat = el("div", { class: "chat" }, this.#header(business));
    chat.append(this.#log.node, this.#composer.node);
    this.screen.replaceChildren(this.#statusBar(), chat);
    this.refresh();
    try {
      await this.#store.loadTalk(this.customer.id, number);
    } catch (error) {
      toast(error.message);
    }
  }

  /** Shows the list of chats. */
  openChats() {
    this.#number = null;
    this.#log = null;
    const newest = (one) => this.#store.messages(this.customer.id, one.phone_number_id).at(-1)?.order ?? -1;
    const numbers = this.#store.numbers.toSorted((one, other) => newest(other) - newest(one));
    const rows = numbers.map((one) => this.#chatRow(one));
    const head = el("header", { class: "chats-head" }, el("h2", {}, "Chats"));
    this.screen.replaceChildren(
      this.#statusBar(),
      el("div", { class: "chats" }, head, el("div", { class: "chat-rows" }, ...rows)),
    );
    this.screen.querySelector(".chat-row")?.focus({ preventScroll: true });
    this.refresh();
  }

  /** Whether somebody can see the open chat. */
  get watched() {
    return this.#number && document.visibilityState === "visible" && this.node.offsetParent;
  }

  /** The business whose chat is open; null in the list of chats. */
  get number() {
    return this.#number;
  }

  /** How many messages wait to be read, in all chats. */
  get unread() {
    const counts = this.#store.numbers.map((one) => this.#store.unread(this.customer.id, one.phone_number_id));
    return counts.reduce((sum, one) => sum + one, 0);
  }

  /** Brings a message into view, if its chat is open; `jump` scrolls to it. */
  mark(message, jump) {
    if (!this.#log) return;
    const here = message && this.#shows(message.customer_id, message.phone_number_id);
    this.#log.mark(here ? message.id : null);
    if (here && jump) this.#log.show(message.id);
  }

  /** Sends something from this phone, to whoever's chat is open. */
  send(message) {
    return this.#send(message);
  }

  /** Taps a choice of a message. */
  tap(message, choice) {
    return this.#do(() => api.tap(this.customer.id, message.phone_number_id, message.id, choice));
  }

  /** Takes over a change of the store. */
  take(type, detail) {
    if (type === "message") this.#takeMessage(detail.message);
    else if (type === "talk" && this.#shows(detail.customer, detail.number)) {
      this.#fill();
    } else if (type === "world") {
      this.customer = this.#store.customers.get(this.customer.id) ?? this.customer;
    }
    this.refresh();
  }

  /** Brings header, caption and read receipts up to date. */
  refresh() {
    const { name, phone, shows_phone: shows, online } = this.customer;
    const line = shows ? grouped(phone) : "number hidden";
    this.caption.replaceChildren(el("strong", {}, name), ` ${line}`);
    this.node.classList.toggle("offline", !online);
    this.tick();
    if (!this.#number) {
      for (const row of this.screen.querySelectorAll(".chat-row")) {
        row.replaceWith(this.#chatRow(this.#store.number(row.dataset.number)));
      }
      return;
    }
    const talk = this.#store.talk(this.customer.id, this.#number);
    const state = this.screen.querySelector(".chat-state");
    if (state) {
      state.textContent = this.#state(talk);
      state.classList.toggle("typing", talk.typing);
    }
    this.#log.typing(talk.typing);
    this.#back();
    this.#read();
  }

  /** Moves the clock of the phone. */
  tick() {
    const clock = this.screen.querySelector(".status-bar time");
    if (clock) clock.textContent = hour(now());
  }

  focus() {
    this.#composer?.focus();
  }

  #shows(customer, number) {
    return this.customer.id === customer && this.#number === number;
  }

  #state(talk) {
    if (!this.#store.connected) return "Connecting…";
    if (!this.customer.online) return "Waiting for network…";
    return talk.typing ? "typing…" : "Business account";
  }

  #takeMessage(message) {
    if (!this.#shows(message.customer_id, message.phone_number_id)) return;
    if (!this.#log.take(message)) this.#fill();
    this.#composer.hint(false);
  }

  #fill() {
    const messages = this.#store.messages(this.customer.id, this.#number);
    this.#log.fill(messages);
    this.#composer.hint(messages.length === 0);
  }

  async #read() {
    const number = this.#number;
    if (this.#reading || !this.watched || !this.customer.online) return;
    if (!this.#store.unread(this.customer.id, number)) return;
    this.#reading = true;
    try {
      await api.read(this.customer.id, number);
    } catch {
      // The next message or change tries again.
    } finally {
      this.#reading = false;
    }
  }

  async #send(message) {
    return this.#do(() => api.write(this.customer.id, this.#number, message));
  }

  async #do(work) {
    try {
      this.#store.put(await work());
      return true;
    } catch (error) {
      toast(error.message === "Failed to fetch" ? "The simulator cannot be reached." : error.message);
      return false;
    }
  }

  #ctx(business) {
    const tap = (message, choice) => this.tap(message, choice);
    return {
      business: business.name,
      find: (id) => this.#store.talk(this.customer.id, business.phone_number_id).messages.get(id),
      act: {
        tap,
        show: (message) => this.#log.show(message.id),
        openList: (message) =>
          openList(this.screen, message, this.#picked.get(message.id), (row) => {
            this.#picked.set(message.id, row.id);
            tap(message, row.id);
          }),
        openForm: (message, parameters) =>
          openForm(this.screen, message, parameters, (values) =>
            this.#send({ kind: "form", message_id: message.id, values }),
          ),
        sendNumber: (message) => this.#send({ kind: "own_number", reply_to: message.id }),
        sendLocation: (message) => this.#send({ kind: "location", reply_to: message.id }),
        menu: (message, opener) => this.#messageMenu(message, opener),
        choose: (message) => this.#look.choose(message),
      },
    };
  }

  #messageMenu(message, opener) {
    const items = [{ icon: "reply", text: "Reply", run: () => this.#composer.answer(message) }];
    for (const emoji of message.author === "business" ? EMOJI : []) {
      const own = message.reactions.includes(emoji);
      const reaction = { kind: "reaction", message_id: message.id, emoji: own ? "" : emoji };
      items.push({ text: `React ${emoji}`, short: emoji, run: () => this.#send(reaction) });
    }
    items.push({ icon: "eye", text: "Look inside", run: () => this.#look.open(message) });
    openMenu(this.screen, opener, "message-menu", items);
  }

  #header(business) {
    const back = el("button", { class: "back", type: "button" }, icon("back"));
    back.append(spoken("All chats"), el("span", { class: "badge", hidden: true }));
    back.addEventListener("click", () => this.openChats());
    const more = el("button", { class: "dotmenu", type: "button", "aria-haspopup": "menu" });
    more.append(icon("dots"), spoken("Phone"));
    more.addEventListener("click", () => this.#phoneMenu(more));
    const state = el("span", { class: "chat-state", "aria-live": "polite" });
    const title = el("h2", { class: "chat-name", dir: "auto" }, business.name);
    const names = el("div", { class: "names" }, title, state);
    return el("header", { class: "chat-head" }, back, avatar(business.name), names, more);
  }

  #back() {
    const others = this.#store.numbers.filter((one) => one.phone_number_id !== this.#number);
    const unread = others.reduce(
      (sum, one) => sum + this.#store.unread(this.customer.id, one.phone_number_id),
      0,
    );
    const badge = this.screen.querySelector(".back .badge");
    if (!badge) return;
    badge.textContent = unread || "";
    badge.hidden = unread === 0;
  }

  #phoneMenu(opener) {
    const { id, online } = this.customer;
    const turn = () => api.changeCustomer(id, { online: !online }).catch((e) => toast(e.message));
    const items = [
      { icon: "plane", text: online ? "Airplane mode on" : "Airplane mode off", run: turn },
      { icon: "close", text: "Put this phone away", run: () => this.close() },
    ];
    openMenu(this.screen, opener, "plain", items);
  }

  #chatRow(business) {
    const id = business.phone_number_id;
    const last = this.#store.messages(this.customer.id, id).at(-1);
    const unread = this.#store.unread(this.customer.id, id);
    const at = new Date(last?.at ?? 0);
    const line = last ? summary(last) : business.display_phone;
    const sent = last?.author === "customer" ? ticks(last) : [];
    const row = el(
      "button",
      { class: "chat-row", type: "button", "data-number": id, on: { click: () => this.open(id) } },
      avatar(business.name),
      el(
        "span",
        { class: "chat-row-text" },
        el("strong", { dir: "auto" }, business.name),
        el("span", { dir: "auto" }, ...sent, line),
      ),
      el(
        "span",
        { class: "chat-row-end" },
        last && el("time", {}, dayKey(at) === dayKey(now()) ? hour(at) : day(at)),
        unread > 0 && el("span", { class: "badge" }, String(unread), spoken(" unread")),
      ),
    );
    return row;
  }

  #statusBar() {
    return el(
      "div",
      { class: "status-bar", "aria-hidden": "true" },
      el("time", {}, hour(now())),
      el("span", { class: "signals" }, icon("signal"), icon("battery")),
    );
  }
}

/** +1 212 555 0100 for American numbers, others as they are. */
function grouped(phone) {
  return `+${phone}`.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "+1 $1 $2 $3");
}
