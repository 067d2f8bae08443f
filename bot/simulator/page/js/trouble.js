// What can go wrong between WhatsApp and the bot, switched on and off.

import { api } from "./api.js";
import { el, toast } from "./dom.js";

const LOOKS_EVERY = 2000;

const GROUPS = { send: "When the bot sends", webhook: "What WhatsApp tells the bot" };

export class Trouble {
  #node;
  #badge;
  #armed = [];
  #rows = [];
  #code;
  #list;
  #timer = 0;

  /** @param {HTMLElement} node the popover @param {HTMLElement} badge counts what is on */
  constructor(node, badge) {
    this.#node = node;
    this.#badge = badge;
    node.replaceChildren(...this.#parts());
    node.addEventListener("toggle", () => this.refresh());
    this.refresh();
  }

  /** Builds the switches from what the simulator can do; again later where it did not say. */
  async #offer() {
    if (this.#rows.length) return;
    const { catalogue } = await api.catalogue();
    if (this.#rows.length) return;
    const groups = Object.entries(GROUPS).flatMap(([group, title]) => [
      el("h3", {}, title),
      ...catalogue.filter((one) => one.group === group).map((one) => this.#row(one)),
    ]);
    this.#list.replaceChildren(...groups);
  }

  /** Reads what is on; again and again while anything is. */
  async refresh() {
    clearTimeout(this.#timer);
    try {
      await this.#offer();
      this.#armed = (await api.faults()).faults;
    } catch {
      // The line is broken: the page says so elsewhere, and this asks again.
    }
    this.#show();
    if (this.#armed.length || this.#node.matches(":popover-open")) {
      this.#timer = setTimeout(() => this.refresh(), LOOKS_EVERY);
    }
  }

  /** Switches a trouble on. */
  async start(fault) {
    await this.#do(() => api.addFault(fault));
  }

  /** Switches all of it off. */
  async end() {
    await this.#do(() => api.clearFaults());
  }

  #parts() {
    const clear = el("button", { type: "button", class: "quiet" }, "Switch all off");
    clear.addEventListener("click", () => this.end());
    const head = el(
      "header",
      {},
      el("h2", { id: "trouble-title" }, "Trouble"),
      clear,
    );
    const lead = el("p", { class: "lead" }, "Make WhatsApp misbehave, and see that nothing is lost or said twice.");
    this.#list = el("div", { class: "troubles" });
    return [head, lead, this.#list, this.#anyCode()];
  }

  #row({ name, title, note, fault }) {
    const count = el("span", { class: "happened" });
    const row = el(
      "button",
      { type: "button", class: "switch-row", role: "switch", "aria-checked": "false" },
      el("span", { class: "switch-text" }, el("strong", {}, title), el("span", {}, note)),
      count,
      el("span", { class: "switch", "aria-hidden": "true" }),
    );
    const found = () => this.#armed.find((armed) => armed.name === name);
    row.addEventListener("click", () => {
      const on = found();
      return this.#do(() => (on ? api.callOff(on.id) : api.addFault(fault)));
    });
    this.#rows.push({ row, count, found });
    return row;
  }

  #anyCode() {
    this.#code = el("input", {
      inputmode: "numeric",
      pattern: "[0-9]{1,6}",
      required: true,
      "aria-label": "Meta's error code",
      placeholder: "131000",
    });
    const form = el(
      "form",
      { class: "any-code" },
      el("label", {}, "Any other of Meta's error codes, once ", this.#code),
      el("button", { class: "quiet" }, "Order it"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.start({ kind: "error", code: Number(this.#code.value), times: 1 });
      this.#code.value = "";
    });
    return form;
  }

  async #do(work) {
    try {
      await work();
    } catch (error) {
      toast(error.message);
    }
    await this.refresh();
  }

  #show() {
    for (const { row, count, found } of this.#rows) {
      const armed = found();
      row.setAttribute("aria-checked", String(Boolean(armed)));
      count.textContent = armed?.happened ? `${armed.happened}×` : "";
    }
    this.#badge.textContent = this.#armed.length || "";
    this.#badge.hidden = !this.#armed.length;
  }
}
