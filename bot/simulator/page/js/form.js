// A form (WhatsApp Flow) as the phone draws it, from the definition that the business uploaded.
// What cannot be drawn is asked for as JSON, and the sheet says why.

import { api } from "./api.js";
import { filled } from "./binding.js";
import { el, icon, toast } from "./dom.js";
import { DRAWN, drawn } from "./fields.js";
import { openSheet } from "./sheet.js";

const ACTS = new Set(["navigate", "complete", "update_data", "open_url"]);

/** Opens the form of a message, as its button says; `send` gets what it answers. */
export async function openForm(screen, message, parameters, send) {
  let definition = null;
  try {
    ({ definition } = await api.form(message.id));
  } catch (error) {
    toast(error.message);
    return;
  }
  const why = definition ? undrawn(definition, parameters) : "Nobody has uploaded this form here.";
  if (why) openJson(screen, parameters, why, send);
  else new Filling(definition, parameters, send).open(screen);
}

/** Why a form cannot be drawn; nothing when it can. */
function undrawn(definition, parameters) {
  if (parameters.flow_action === "data_exchange") return "This form is filled by the business's own server.";
  for (const part of definition.screens.flatMap((screen) => [...every(screen.layout.children)])) {
    if (!DRAWN.has(part.type)) return `The simulator does not draw ${part.type}.`;
    for (const [name, value] of Object.entries(part)) {
      if (name.endsWith("-action") && !ACTS.has(value.name)) return `The simulator does not do ${value.name} in forms.`;
    }
  }
  return JSON.stringify(definition).includes('"`') ? "The simulator does not know expressions in back-ticks." : "";
}

/** All components, those within others too. */
function* every(parts) {
  for (const part of parts ?? []) {
    yield part;
    for (const inside of [part.children, part.then, part.else, ...Object.values(part.cases ?? {})]) yield* every(inside);
  }
}

class Filling {
  #definition;
  #parameters;
  #send;
  #screens = {};
  #way = [];
  #sheet = null;

  constructor(definition, parameters, send) {
    this.#definition = definition;
    this.#parameters = parameters;
    this.#send = send;
  }

  open(screen) {
    const given = this.#parameters.flow_action_payload ?? {};
    const first = given.screen ?? this.#definition.screens[0].id;
    this.#sheet = openSheet(screen, "", () => [], { name: "form-sheet", back: () => this.#back() });
    this.#go(first, given.data ?? {});
  }

  #go(id, data) {
    this.#screens[id] = { form: {}, ...this.#screens[id], data };
    this.#way.push(id);
    this.#draw();
  }

  #back() {
    if (this.#way.length < 2) return false;
    this.#way.pop();
    this.#draw();
    return true;
  }

  #draw() {
    const id = this.#way.at(-1);
    const spec = this.#definition.screens.find((one) => one.id === id);
    const here = this.#screens[id];
    const ctx = {
      fields: [],
      again: [],
      began: {},
      scope: () => ({ data: here.data, form: here.form, screens: this.#screens }),
      set: (name, value) => {
        here.form[name] = value;
        for (const look of ctx.again) look();
      },
      act: (action) => this.#act(action, ctx),
    };
    this.#sheet.title(filled(spec.title ?? "", ctx.scope()), this.#way.length > 1);
    const nodes = drawn(spec.layout.children, ctx);
    const footer = [...every(spec.layout.children)].find((part) => part.type === "Footer");
    if (footer) nodes.push(this.#footer(footer, ctx));
    this.#sheet.fill(nodes);
  }

  #footer(part, ctx) {
    const captions = ["left-caption", "center-caption", "right-caption"].map((name) => filled(part[name], ctx.scope()));
    const go = () => {
      const wrong = ctx.fields.filter((field) => !field.node.closest("[hidden]") && !field.check());
      if (wrong.length) wrong[0].control.focus();
      else ctx.act(part["on-click-action"]);
    };
    const press = el("button", { class: "primary", type: "button", dir: "auto", on: { click: go } });
    press.textContent = filled(part.label, ctx.scope());
    const able = () => (press.disabled = !(filled(part.enabled, ctx.scope()) ?? true));
    ctx.again.push(able);
    able();
    const notes = captions.filter(Boolean).map((text) => el("span", { dir: "auto" }, text));
    return el("footer", { class: "form-foot" }, notes.length ? el("p", { class: "form-captions" }, ...notes) : null, press);
  }

  #act(action, ctx) {
    const payload = filled(action.payload ?? {}, ctx.scope());
    switch (action.name) {
      case "navigate":
        this.#go(action.next.name, payload);
        break;
      case "complete":
        this.#sheet.close();
        this.#send(payload);
        break;
      case "update_data":
        Object.assign(this.#screens[this.#way.at(-1)].data, payload);
        this.#draw();
        break;
      default:
        open(/^https?:\/\//i.test(action.url ?? "") ? action.url : "about:blank", "_blank", "noopener");
    }
  }
}

/** Asks for what a form would answer. */
function openJson(screen, parameters, why, send) {
  openSheet(screen, parameters.flow_cta, (close) => {
    const box = el("textarea", { rows: "6", spellcheck: "false", "aria-label": "Answer as JSON" });
    box.value = JSON.stringify(parameters.flow_action_payload?.data ?? {}, null, 2);
    const wrong = el("p", { class: "wrong", role: "alert" });
    const submit = () => {
      let values;
      try {
        values = JSON.parse(box.value);
      } catch (error) {
        wrong.textContent = `This is not JSON: ${error.message}`;
        return;
      }
      close();
      send(values);
    };
    return [
      el("p", {}, `${why} Write what it answers, as JSON:`),
      box,
      wrong,
      el("button", { class: "primary", type: "button", on: { click: submit } }, "Send"),
    ];
  });
}
