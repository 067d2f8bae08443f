// Behind a message: the webhook, the turn, the outbox row, the statuses.

import { api } from "./api.js";
import { summary } from "./bubble.js";
import { el, icon, spoken, toast } from "./dom.js";
import { brief, json } from "./json.js";
import { exact, shortDay } from "./time.js";

const SETTLES = 250;
const ONCE_MORE = 1000;
const MOST_TRIES = 30;

export class Panel {
  #node;
  #store;
  #show;
  #message = null;
  #follows = true;
  #timer = 0;
  #asked = 0;
  #tries = 0;
  #open = new Set(["turn", "webhook", "statuses"]);

  /**
   * @param {{node: HTMLElement, store: any, show: (message: any) => void, close: () => void}} options
   *   `show` brings a message into view on its phone
   */
  constructor({ node, store, show, close }) {
    this.#node = node;
    this.#store = store;
    this.#show = show;
    this.close = close;
    this.#body = el("div", { class: "panel-body", tabindex: "0", role: "region", "aria-label": "Details" });
    const shut = el("button", { class: "shut", type: "button", "aria-label": "Close" }, icon("close"));
    shut.addEventListener("click", close);
    this.#newest = el("button", { class: "quiet", type: "button", "aria-pressed": "true" }, "Newest");
    this.#newest.addEventListener("click", () => this.follow());
    const head = el("header", {}, el("h2", { id: "panel-title" }, "Behind the message"), this.#newest, shut);
    node.replaceChildren(head, this.#body);
    this.#nothing();
  }

  #body;
  #newest;

  /** The id of the message that is shown. */
  get chosen() {
    return this.#message?.id;
  }

  /** Shows a message and stays with it. */
  choose(message) {
    this.#follows = false;
    this.#take(message);
  }

  /** Shows whatever comes last. */
  follow() {
    this.#follows = true;
    const newest = this.#store.newest();
    if (newest) this.#take(newest);
    this.#newest.setAttribute("aria-pressed", "true");
  }

  /** Takes over a message that is new or has changed. */
  take(message) {
    if (this.#node.hidden) return;
    if (this.#follows && message.kind !== "reaction") {
      const newer = !this.#message || message.at >= this.#message.at;
      if (newer || message.id === this.#message.id) this.#take(message);
    } else if (message.id === this.#message?.id) this.#later(SETTLES);
    else this.#later(SETTLES); // it may be what the shown turn said
  }

  #take(message) {
    const other = message.id !== this.#message?.id;
    this.#message = message;
    if (other) this.#tries = 0;
    this.#newest.setAttribute("aria-pressed", String(this.#follows));
    this.#show(message, !this.#follows);
    this.#later(other ? 0 : SETTLES);
  }

  #later(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), wait);
  }

  async #read() {
    const message = this.#message;
    if (!message || this.#node.hidden) return;
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const trace = await api.trace(message.id);
      if (asked !== this.#asked) return;
      this.#draw(trace);
      this.#tries += 1;
      if (!isSettled(trace) && this.#tries < MOST_TRIES) this.#later(ONCE_MORE);
    } catch (error) {
      if (asked === this.#asked) this.#body.replaceChildren(el("p", { class: "lead" }, error.message));
    }
  }

  #nothing() {
    this.#body.replaceChildren(
      el("p", { class: "lead" }, "Write something, or choose a message: click it, or “Look inside” in its menu."),
    );
  }

  #draw(trace) {
    const top = this.#body.scrollTop;
    const { message, bot } = trace;
    const mine = message.author === "customer";
    const parts = [this.#title(message, bot)];
    if (!bot) parts.push(el("p", { class: "lead" }, noBot(message)));
    if (mine) {
      parts.push(this.#webhooks("webhook", "Webhook", trace.webhooks, bot?.event?.event));
      if (bot) parts.push(this.#inbox(bot.event), this.#turn(bot), this.#said(bot));
    } else {
      if (bot) parts.push(this.#cause(bot), this.#turn(bot), this.#outbox(bot));
      parts.push(this.#request(trace), this.#statuses(trace));
    }
    if (bot?.conversation) parts.push(this.#conversation(bot.conversation), this.#timers(bot.timers));
    this.#body.replaceChildren(...parts.filter(Boolean));
    this.#body.scrollTop = top;
  }

  #title(message, bot) {
    const who = this.#store.customers.get(message.customer_id)?.name ?? "The customer";
    const business = this.#store.number(message.phone_number_id)?.name ?? "The business";
    const said = brief(summary(message).replace(/\s+/g, " "), 70);
    const from = message.author === "customer" ? who : business;
    const to = message.author === "customer" ? business : who;
    return el(
      "div",
      { class: "panel-message" },
      el("p", { dir: "auto" }, el("strong", {}, from), " to ", el("strong", {}, to), ": ", `“${said}”`),
      el("p", { class: "fine" }, [exact(new Date(message.at)), bot?.turn && `turn took ${bot.turn.ms} ms`].filter(Boolean).join(" · ")),
      el("p", { class: "fine mono" }, message.id),
    );
  }

  #webhooks(key, title, webhooks, kept) {
    if (!webhooks.length) {
      const note = "The simulator was started after it came; this is what the inbox keeps of it.";
      return this.#part(key, title, "as kept", kept ? [el("p", { class: "lead" }, note), json(kept)] : [el("p", { class: "lead" }, "Nothing is known of it.")]);
    }
    return this.#part(key, title, delivered(webhooks.at(-1)), [
      ...webhooks.flatMap((one) => [webhooks.length > 1 && el("p", { class: "fine" }, delivered(one)), json(one.value)]),
    ]);
  }

  #inbox(event) {
    if (!event) return null;
    const took = event.done_at && ` after ${milliseconds(event.received_at, event.done_at)}`;
    return this.#part("inbox", "Inbox row", `${event.id} · ${event.status}${took ?? ""}`, [
      table(event, ["id", "kind", "status", "attempts", "received_at", "not_before", "done_at", "last_error", "dedup_key"]),
    ]);
  }

  #turn(bot) {
    const { turn } = bot;
    if (!turn) {
      const done = bot.event && bot.event.status === "done";
      const note = done
        ? "This turn is not remembered any more; its rows are below."
        : "No turn has been taken yet.";
      return this.#part("turn", "Turn", "", [el("p", { class: "lead" }, note)]);
    }
    const steps = `${turn.before.step} → ${turn.after.step}`;
    return this.#part("turn", `Turn ${turn.turn}`, steps, [
      el("h4", {}, "What happened"),
      el("ul", { class: "effects" }, el("li", {}, thing(turn.event)), ...turn.asked.map((one) => el("li", {}, asked(one)))),
      el("h4", {}, "State, before and after"),
      states(turn.before, turn.after),
      el("h4", {}, turn.effects.length === 1 ? "1 effect" : `${turn.effects.length} effects`),
      turn.effects.length
        ? el("ul", { class: "effects" }, ...turn.effects.map((one) => el("li", {}, thing(one))))
        : el("p", { class: "lead" }, "A sensible silence."),
    ]);
  }

  #cause(bot) {
    const { event } = bot;
    if (!event) return null;
    const heard = event.event?.message?.id;
    const known = heard && this.#store.find(heard);
    const about = known
      ? el("button", { class: "link", type: "button" }, `“${brief(summary(known), 60)}”`)
      : el("code", {}, event.kind);
    if (known) about.addEventListener("click", () => this.choose(known));
    return this.#part("cause", "Because of", `inbox row ${event.id} · ${event.kind}`, [
      el("p", {}, about),
      json(event.event),
    ]);
  }

  #said(bot) {
    if (!bot.said.length && !bot.records.length) return null;
    const rows = bot.said.map(({ message, outbox }) => {
      const known = message.wamid && this.#store.find(message.wamid);
      const title = `Row ${outbox.id}: ${outbox.status}, ${attempts(outbox.attempts)}`;
      const open = el("button", { class: "link", type: "button" }, title);
      open.disabled = !known;
      open.addEventListener("click", () => this.choose(known));
      return el("li", {}, open, el("span", { class: "fine" }, ` message ${message.status}`));
    });
    const records = bot.records.map((one) => el("li", {}, el("code", {}, one.event_type), ` ${brief(one.event_data)}`));
    return this.#part("said", "Outbox and records", `${bot.said.length} sent · ${bot.records.length} recorded`, [
      el("ul", { class: "effects" }, ...rows, ...records),
    ]);
  }

  #outbox(bot) {
    const row = bot.outbox;
    if (!row) return null;
    return this.#part("outbox", "Outbox row", `${row.id} · ${row.status} · ${attempts(row.attempts)}`, [
      table(row, ["id", "status", "attempts", "created_at", "not_before", "lease_until", "settled_at", "error_code", "extras"]),
    ]);
  }

  #request(trace) {
    const [sent] = trace.requests;
    const body = sent?.body ?? trace.bot?.message?.body;
    if (!body) return null;
    const note = sent ? `accepted ${exact(new Date(sent.at))}` : "as kept";
    return this.#part("request", "Request to the Graph API", note, [json(body)]);
  }

  #statuses(trace) {
    const rows = Object.entries(trace.times).map(([status, at]) => {
      const told = trace.webhooks.find((one) => one.events.includes(status));
      const heard = trace.bot?.statuses.find((one) => one.event?.status?.status === status);
      return el(
        "tr",
        {},
        el("th", { scope: "row" }, status),
        el("td", {}, exact(new Date(at))),
        el("td", {}, told ? delivered(told) : ""),
        el("td", {}, heard ? `inbox ${heard.id}: ${heard.status}` : "not heard"),
      );
    });
    const kept = trace.bot?.message;
    const price = kept?.price_category ? `${kept.price_category}, ${kept.price_type ?? "?"}` : "";
    const parts = rows.length
      ? [el("table", { class: "rows-table statuses-table" }, el("tbody", {}, ...rows))]
      : [el("p", { class: "lead" }, "None yet.")];
    if (price) parts.push(el("p", { class: "fine" }, `Price: ${price}`));
    if (trace.message.error) parts.push(json(trace.message.error));
    return this.#part("statuses", "Statuses", trace.message.status, [...parts, ...trace.webhooks.slice(-1).map((one) => json(one.value))]);
  }

  #conversation(row) {
    return this.#part("conversation", "Conversation now", `${row.step} · turn ${row.turn}`, [
      table(row, ["id", "customer_id", "status", "locale", "person_until", "expires_at", "last_inbound_at"]),
      json(row.state),
    ]);
  }

  #timers(rows) {
    if (!rows?.length) return null;
    const armed = rows.filter((one) => one.status === "armed").length;
    const lines = rows.map((one) =>
      el(
        "li",
        {},
        el("code", {}, one.name),
        ` ${one.status}, due ${shortDay(new Date(one.due_at))}, ${exact(new Date(one.due_at))} `,
        el("span", { class: "fine" }, one.key),
      ),
    );
    return this.#part("timers", "Timers", `${armed} armed`, [el("ul", { class: "effects" }, ...lines)]);
  }

  #part(key, title, note, children) {
    const copy = children.some((one) => one && one.classList?.contains("json"));
    const details = el(
      "details",
      { class: "part", open: this.#open.has(key) },
      el("summary", {}, el("h3", {}, title), el("span", { class: "note-line" }, note)),
      ...children.filter(Boolean),
      copy && copyButton(children),
    );
    details.addEventListener("toggle", () => {
      if (details.open) this.#open.add(key);
      else this.#open.delete(key);
    });
    return details;
  }
}

// An answer is on the phone before the bot knows its id, and a message before its turn is taken.
const isSettled = ({ bot }) => Boolean(bot) && ["done", "kept", "dead"].includes(bot.event?.status);

const noBot = (message) =>
  message.author === "customer"
    ? "The bot does not know this message yet, or does not tell."
    : "The bot does not tell what it did here.";

const attempts = (count) => (count === 1 ? "1 attempt" : `${count} attempts`);

function delivered(webhook) {
  const state = webhook.state === "answered" ? `answered ${webhook.last_status}` : webhook.state.replace("_", " ");
  return `#${webhook.number} ${state}, ${attempts(webhook.attempts)}`;
}

const milliseconds = (from, to) => `${(new Date(to) - new Date(from)).toLocaleString()} ms`;

/** A dataclass of the bot: its name and what it says in short; all it holds when it is opened. */
function thing({ name, ...fields }) {
  const told = Object.entries(fields).filter(([, value]) => !isNothing(value));
  const head = el("span", { class: "thing-head" }, el("code", {}, name), el("span", { class: "fine", dir: "auto" }, inShort(told)));
  return told.length ? unfolding(head, Object.fromEntries(told)) : el("div", { class: "thing" }, head);
}

function asked({ ask, answer }) {
  const head = el("span", { class: "thing-head" }, el("code", {}, ask.name), " → ", el("code", {}, answer.name));
  return unfolding(head, { asked: ask, answered: answer });
}

function unfolding(head, value) {
  const node = el("details", { class: "thing" }, el("summary", {}, head));
  node.addEventListener("toggle", () => node.open && node.childElementCount === 1 && node.append(json(value)));
  return node;
}

const isNothing = (value) =>
  value === null || value === "" || value === false || (typeof value === "object" && !Object.keys(value).length);

const TELLING = ["text", "title", "event_type", "name", "key", "kind", "reason"];

function inShort(told) {
  const found = TELLING.map((name) => told.find(([one]) => one === name)).find(Boolean) ?? told[0];
  return found ? brief(found[1], 90) : "";
}

/** A line for what stayed, two for what changed. */
function states(before, after) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const first = (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  names.sort((a, b) => (a === "step" ? -1 : b === "step" ? 1 : first(b) - first(a)));
  const rows = names.map((name) => {
    const [was, is] = [before[name], after[name]];
    if (!first(name)) return el("li", { class: "same" }, el("b", {}, name), el("span", {}, brief(is, 120)));
    return el(
      "li",
      { class: "changed" },
      el("b", {}, name, spoken(" changed:")),
      was !== undefined && el("del", { title: brief(was, 3000) }, spoken("before "), brief(was, 200)),
      is !== undefined && el("ins", { title: brief(is, 3000) }, spoken("after "), brief(is, 200)),
    );
  });
  return el("ul", { class: "states" }, ...rows);
}

function table(row, names) {
  const rows = names
    .filter((name) => row[name] !== null && row[name] !== undefined)
    .map((name) => {
      const isTime = name.endsWith("_at") || name.endsWith("_until") || name === "not_before";
      const shown = isTime ? exact(new Date(row[name])) : brief(row[name], 300);
      return el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "mono", title: isTime ? row[name] : false }, shown));
    });
  return el("table", { class: "rows-table" }, el("tbody", {}, ...rows));
}

function copyButton(children) {
  const text = children.filter((one) => one?.classList?.contains("json")).map((one) => one.textContent).join("\n");
  const button = el("button", { class: "quiet copy", type: "button" }, icon("copy"), "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied.");
    } catch {
      toast("The browser does not let this page copy.");
    }
  });
  return button;
}
