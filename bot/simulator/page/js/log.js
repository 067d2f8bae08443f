// The messages of one conversation, with days, typing dots and what is new.

import { bubble, meta } from "./bubble.js";
import { el, icon, spoken } from "./dom.js";
import { day, dayKey } from "./time.js";

const NEAR_BOTTOM = 90;
const NOTE = "A simulator: messages stay on this computer.";

export class Log {
  #ctx;
  #list;
  #nodes = new Map();
  #lastDay = "";
  #lastOrder = 0;
  #missed = 0;
  #dots = null;
  #following = true;
  #lastTop = 0;

  /**
   * @param {{label: string, ctx: any, watched: () => boolean}} options
   *   A click on a bubble chooses it: `ctx.act.choose`
   */
  constructor({ label, ctx, watched }) {
    this.#ctx = ctx;
    this.watched = watched;
    this.#list = el("div", {
      class: "log",
      role: "log",
      "aria-live": "polite",
      "aria-relevant": "additions",
      "aria-label": label,
      tabindex: "0",
    });
    this.down = el("button", { class: "to-end", type: "button" }, icon("down"), spoken("Newest"));
    this.down.addEventListener("click", () => this.toEnd(true));
    this.#list.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#list.addEventListener("click", (event) => this.#clicked(event));
    this.#list.addEventListener("contextmenu", (event) => this.#pressed(event));
    this.node = el("div", { class: "log-box" }, this.#list, this.down);
    new ResizeObserver(() => this.#following && this.toEnd(false)).observe(this.#list);
  }

  /** Draws everything afresh. */
  fill(messages) {
    this.#nodes.clear();
    this.#lastDay = "";
    this.#lastOrder = 0;
    this.#dots = null;
    this.#list.replaceChildren(el("p", { class: "note" }, icon("lock"), NOTE));
    for (const message of messages) this.#append(message);
    this.toEnd(false);
  }

  /** Draws a new message, or what changed on an old one. False: it has to be filled afresh. */
  take(message) {
    const known = this.#nodes.get(message.id);
    if (known) {
      this.#update(known, message);
      return true;
    }
    if (message.order <= this.#lastOrder) return false;
    const follow = this.#following || message.author === "customer";
    if (message.author === "customer") this.#list.querySelector(".unread-line")?.remove();
    else if (!this.watched()) this.#markUnread();
    this.#append(message);
    if (follow) this.toEnd(true);
    else if (message.author === "business") this.#miss();
    return true;
  }

  typing(on) {
    if (on === Boolean(this.#dots)) return;
    this.#dots?.remove();
    this.#dots = null;
    if (!on) return;
    const dots = el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
    this.#dots = el("div", { class: "msg in dots-row" }, el("div", { class: "bubble" }, dots));
    this.#list.append(this.#dots);
    if (this.#following) this.toEnd(true);
  }

  /** Brings a message into view and lights it up. */
  show(id) {
    const node = this.#nodes.get(id);
    if (!node) return;
    node.scrollIntoView({ block: "center", behavior: "smooth" });
    node.classList.add("lit");
    setTimeout(() => node.classList.remove("lit"), 1200);
  }

  /** Marks the message that the panel shows, if it is here. */
  mark(id) {
    for (const node of this.#list.querySelectorAll(".chosen")) node.classList.remove("chosen");
    this.#nodes.get(id)?.classList.add("chosen");
  }

  toEnd(smooth) {
    this.#following = true;
    const top = this.#list.scrollHeight;
    this.#list.scrollTo({ top, behavior: smooth ? "smooth" : "instant" });
    this.#missed = 0;
    this.#count();
  }

  #append(message) {
    if (message.kind === "reaction") {
      this.#lastOrder = message.order;
      return;
    }
    const at = new Date(message.at);
    const parts = [];
    if (dayKey(at) !== this.#lastDay) {
      this.#lastDay = dayKey(at);
      parts.push(el("p", { class: "day" }, day(at)));
    }
    const node = bubble(message, this.#ctx);
    this.#nodes.set(message.id, node);
    this.#lastOrder = message.order;
    parts.push(node);
    if (this.#dots) this.#dots.before(...parts);
    else this.#list.append(...parts);
    for (const picture of node.querySelectorAll("img")) {
      picture.addEventListener("load", () => this.#following && this.toEnd(false));
    }
  }

  #update(node, message) {
    const fresh = bubble(message, this.#ctx);
    node.querySelector(".bubble > .meta")?.replaceWith(meta(message));
    node.querySelector(".reactions")?.remove();
    const reactions = fresh.querySelector(".reactions");
    if (reactions) node.append(reactions);
  }

  #clicked(event) {
    if (event.target.closest("button, a")) return;
    const id = event.target.closest(".msg")?.dataset.id;
    if (id && !String(getSelection())) this.#ctx.act.choose(this.#ctx.find(id));
  }

  // A long press, or the other mouse button.
  #pressed(event) {
    const node = event.target.closest(".msg");
    if (!node?.dataset.id || event.target.closest("a")) return;
    event.preventDefault();
    this.#ctx.act.menu(this.#ctx.find(node.dataset.id), node.querySelector(".more"));
  }

  #markUnread() {
    if (this.#list.querySelector(".unread-line")) return;
    this.#list.append(el("p", { class: "unread-line" }, "New messages"));
  }

  #atEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.#list;
    return scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM;
  }

  // Who scrolls up wants to read; who is at the end wants to follow.
  #scrolled() {
    const top = this.#list.scrollTop;
    if (this.#atEnd()) this.#following = true;
    else if (top < this.#lastTop) this.#following = false;
    this.#lastTop = top;
    if (this.#following) this.#missed = 0;
    this.#count();
  }

  #miss() {
    this.#missed += 1;
    this.#count();
  }

  #count() {
    this.down.classList.toggle("shown", !this.#following);
    this.down.dataset.count = this.#missed || "";
  }
}
