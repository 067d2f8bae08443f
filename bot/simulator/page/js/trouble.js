// What can go wrong between WhatsApp and the bot, switched on and off.

import { api } from "./api.js";
import { el, toast } from "./dom.js";

const LOOKS_EVERY = 2000;

// `times: 0` lasts until it is switched off.
const KINDS = [
  {
    title: "When the bot sends",
    faults: [
      ["Answers are slow", "six seconds", { kind: "slow", seconds: 6, times: 0 }],
      ["The connection drops", "nothing is accepted", { kind: "drop", times: 0 }],
      [
        "Accepted, then no answer",
        "was it sent or not?",
        { kind: "accept_then_drop", times: 1 },
      ],
      ["Service unavailable", "error 131016: nothing was accepted", { kind: "error", code: 131016, times: 0 }],
      ["Server error 500", "was it accepted or not?", { kind: "http", status: 500, times: 0 }],
      ["Too fast for one customer", "error 131056, pair rate", { kind: "error", code: 131056, times: 0 }],
      ["Too fast altogether", "error 130429, throughput", { kind: "error", code: 130429, times: 0 }],
      ["The token has expired", "error 190", { kind: "error", code: 190, times: 0 }],
      ["Payment is missing", "error 131042", { kind: "error", code: 131042, times: 0 }],
      [
        "Undeliverable, told later",
        "status failed, 131026",
        { kind: "late_error", code: 131026, times: 1 },
      ],
    ],
  },
  {
    title: "What WhatsApp tells the bot",
    faults: [
      ["Webhooks come twice", "and a third time", { kind: "duplicate", copies: 2, times: 0 }],
      ["Webhooks are late", "by five seconds", { kind: "delay", seconds: 5, times: 0 }],
      ["In the wrong order", "the next four, last one first", { kind: "reorder", times: 4 }],
      ["Several in one", "the next four in one POST", { kind: "batch", times: 4 }],
      ["Statuses are lost", "no ticks reach the bot", { kind: "lose", event: "status", times: 0 }],
    ],
  },
];

export class Trouble {
  #node;
  #badge;
  #armed = [];
  #rows = [];
  #code;
  #timer = 0;

  /** @param {HTMLElement} node the popover @param {HTMLElement} badge counts what is on */
  constructor(node, badge) {
    this.#node = node;
    this.#badge = badge;
    node.replaceChildren(...this.#parts());
    node.addEventListener("toggle", () => this.refresh());
    this.refresh();
  }

  /** Reads what is on; again and again while anything is. */
  async refresh() {
    clearTimeout(this.#timer);
    try {
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
    const groups = KINDS.flatMap(({ title, faults }) => [
      el("h3", {}, title),
      ...faults.map((one) => this.#row(...one)),
    ]);
    return [head, lead, ...groups, this.#anyCode()];
  }

  #row(title, note, fault) {
    const count = el("span", { class: "happened" });
    const row = el(
      "button",
      { type: "button", class: "switch-row", role: "switch", "aria-checked": "false" },
      el("span", { class: "switch-text" }, el("strong", {}, title), el("span", {}, note)),
      count,
      el("span", { class: "switch", "aria-hidden": "true" }),
    );
    const found = () => this.#armed.find((armed) => same(armed, fault));
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

function same(armed, fault) {
  return Object.entries(fault).every(([name, value]) => name === "times" || armed[name] === value);
}
