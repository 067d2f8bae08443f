// What the page knows about the world, kept up to date by the stream of changes.

import { api, follow } from "./api.js";
import { setNow, setZone } from "./time.js";

const key = (customer, number) => `${customer}/${number}`;

export class Store extends EventTarget {
  numbers = [];
  customers = new Map();
  clockMoves = false;
  connected = false;
  #talks = new Map();

  async start() {
    follow(
      (change) => this.#take(change),
      (connected) => {
        this.connected = connected;
        this.#tell("connection", {});
      },
    );
    await this.load();
  }

  /** Reads numbers and customers afresh. */
  async load() {
    const world = await api.world();
    setNow(world.now, world.ahead);
    setZone(world.numbers[0]?.timezone);
    this.numbers = world.numbers;
    this.clockMoves = world.clock_moves;
    this.customers = new Map(world.customers.map((one) => [one.id, one]));
    this.#tell("world", {});
  }

  number(id) {
    return this.numbers.find((one) => one.phone_number_id === id);
  }

  /** A conversation as far as it is known. */
  talk(customer, number) {
    const id = key(customer, number);
    if (!this.#talks.has(id)) {
      this.#talks.set(id, { customer, number, messages: new Map(), meanwhile: new Map(), typing: false, timer: 0 });
    }
    return this.#talks.get(id);
  }

  /** Messages of a conversation in their order. */
  messages(customer, number) {
    const all = [...this.talk(customer, number).messages.values()];
    return all.sort((a, b) => a.order - b.order);
  }

  /** A message by its id, in whichever conversation. */
  find(id) {
    for (const talk of this.#talks.values()) {
      if (talk.messages.has(id)) return talk.messages.get(id);
    }
    return undefined;
  }

  /** The message that came last, in whichever conversation that is known. */
  newest() {
    const all = [...this.#talks.values()].flatMap((talk) => [...talk.messages.values()]);
    return all.reduce((last, one) => (!last || one.at >= last.at ? one : last), undefined);
  }

  unread(customer, number) {
    return this.messages(customer, number).filter(
      (one) => one.author === "business" && one.status === "delivered",
    ).length;
  }

  async loadTalk(customer, number) {
    const talk = this.talk(customer, number);
    talk.meanwhile = new Map(); // what the stream tells while the answer is on its way
    const read = await api.conversation(customer, number);
    talk.messages = new Map(read.messages.map((one) => [one.id, one]));
    for (const [id, one] of talk.meanwhile) {
      if (!(talk.messages.get(id)?.version >= one.version)) talk.messages.set(id, one);
    }
    this.#type(talk, read.typing_seconds);
    this.#tell("talk", { customer, number });
  }

  /** Takes over a message, from the stream or as an answer: whichever comes first. */
  put(message) {
    const talk = this.talk(message.customer_id, message.phone_number_id);
    if (talk.messages.get(message.id)?.version >= message.version) return;
    talk.messages.set(message.id, message);
    talk.meanwhile.set(message.id, message);
    if (message.author === "business") this.#type(talk, 0);
    this.#tell("message", { message });
  }

  #take(change) {
    if (change.type === "message") this.put(change.message);
    else if (change.type === "customer") {
      this.customers.set(change.customer.id, change.customer);
      this.#tell("world", {});
    } else if (change.type === "typing") {
      this.#type(this.talk(change.customer_id, change.phone_number_id), change.seconds);
    } else if (change.type === "clock") {
      setNow(change.now, change.ahead);
      this.#tell("clock", {});
    } else if (change.type === "resync") this.#resync();
  }

  async #resync() {
    try {
      await this.load();
      for (const talk of this.#talks.values()) await this.loadTalk(talk.customer, talk.number);
    } catch {
      // The line broke again: the next resync reads it all.
    }
  }

  #type(talk, seconds) {
    clearTimeout(talk.timer);
    talk.typing = seconds > 0;
    if (talk.typing) talk.timer = setTimeout(() => this.#type(talk, 0), seconds * 1000);
    this.#tell("typing", { customer: talk.customer, number: talk.number });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
