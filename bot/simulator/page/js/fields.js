// The components of a form, each as what the phone shows.

import { filled, holds } from "./binding.js";
import { el, icon } from "./dom.js";
import { formatted } from "./format.js";

const TEXTS = {
  TextHeading: ["h3", "form-heading"],
  TextSubheading: ["h4", "form-subheading"],
  TextBody: ["p", "form-body"],
  TextCaption: ["p", "form-caption"],
  RichText: ["p", "form-body"],
};
const INPUTS = { number: "numeric", phone: "tel", email: "email", passcode: "numeric" };
let made = 0;

/** The kinds that can be drawn. */
export const DRAWN = new Set([
  ...Object.keys(TEXTS),
  ...["TextInput", "TextArea", "Dropdown", "RadioButtonsGroup", "CheckboxGroup", "ChipsSelector"],
  ...["DatePicker", "CalendarPicker", "OptIn", "EmbeddedLink", "NavigationList", "Image"],
  ...["Footer", "Form", "If", "Switch"],
]);

/**
 * The nodes of some components.
 * @param {any[]} parts
 * @param {{scope: () => any, set: (name: string, value: any) => void, act: (action: any) => void,
 *          fields: any[], again: (() => void)[], began: any}} ctx
 *   `fields` are those that are asked before the form goes on, `again` what may look different
 *   after each change, `began` the values with which a form begins
 */
export function drawn(parts, ctx) {
  return parts.flatMap((part) => one(part, ctx));
}

function one(part, ctx) {
  if (part.type === "Form") {
    Object.assign(ctx.began, filled(part["init-values"] ?? {}, ctx.scope()));
    return drawn(part.children, ctx);
  }
  if (part.type === "If") return branch(() => (holds(part.condition, ctx.scope()) ? part.then : part.else), ctx);
  if (part.type === "Switch") {
    return branch(() => part.cases[filled(part.value, ctx.scope())] ?? part.cases.default, ctx);
  }
  const node = component(part, ctx);
  if (node && part.visible !== undefined) {
    const show = () => (node.hidden = !filled(part.visible, ctx.scope()));
    ctx.again.push(show);
    show();
  }
  return node ? [node] : [];
}

/** Components of which others may take the place. */
function branch(choose, ctx) {
  const box = el("div", { class: "form-branch" });
  let shown = null;
  const look = () => {
    const parts = choose() ?? [];
    if (parts === shown) return;
    shown = parts;
    ctx.fields.splice(0, ctx.fields.length, ...ctx.fields.filter((field) => !box.contains(field.node)));
    box.replaceChildren(...drawn(parts, ctx));
  };
  ctx.again.push(look);
  look();
  return [box];
}

function component(part, ctx) {
  const say = (name) => filled(part[name], ctx.scope());
  if (part.type in TEXTS) {
    const [tag, name] = TEXTS[part.type];
    const text = say("text");
    const lines = Array.isArray(text) ? text.join("\n") : String(text ?? "");
    return el(tag, { class: name, dir: "auto" }, ...formatted(lines));
  }
  switch (part.type) {
    case "TextInput":
    case "TextArea":
      return textField(part, ctx, say);
    case "Dropdown":
      return dropdown(part, ctx, say);
    case "RadioButtonsGroup":
      return choices(part, ctx, say, "radio");
    case "CheckboxGroup":
    case "ChipsSelector":
      return choices(part, ctx, say, "checkbox");
    case "DatePicker":
    case "CalendarPicker":
      return dateField(part, ctx, say);
    case "OptIn":
      return optIn(part, ctx, say);
    case "EmbeddedLink":
      return press("form-link", say("text"), () => ctx.act(part["on-click-action"]));
    case "NavigationList":
      return navigation(part, ctx, say);
    case "Image":
      return el("p", { class: "form-image" }, icon("photo"), say("alt-text") ?? "A picture");
    default:
      return null;
  }
}

function press(name, text, click) {
  return el("button", { class: name, type: "button", dir: "auto", on: { click } }, text);
}

/** A field with its label, its help and what is wrong with it. */
function field(part, ctx, say, control, value, wrong) {
  made += 1;
  control.id = `field-${made}`;
  const needed = () => Boolean(filled(part.required ?? false, ctx.scope()));
  const trouble = el("p", { class: "wrong", role: "alert" });
  const label = el("label", { for: control.id, dir: "auto" }, say("label") ?? "");
  if (!needed()) label.append(el("span", { class: "optional" }, " (optional)"));
  const node = el("div", { class: "form-field" }, label, control);
  if (part["helper-text"]) node.append(el("p", { class: "form-caption", dir: "auto" }, say("helper-text")));
  node.append(trouble);
  watch(node, part, ctx, { control, value, trouble, needed, wrong });
  control.addEventListener("input", () => ctx.set(part.name, value()));
  ctx.set(part.name, value());
  return node;
}

function watch(node, part, ctx, { control, value, trouble, needed, wrong }) {
  const check = () => {
    const given = value();
    const empty = given === "" || given === undefined || given === false || given?.length === 0;
    const why = empty ? (needed() ? "This is needed" : "") : (wrong?.(given) ?? "");
    trouble.textContent = why;
    control.setAttribute("aria-invalid", String(Boolean(why)));
    return !why;
  };
  const recheck = () => trouble.textContent && check();
  node.addEventListener("input", () => queueMicrotask(recheck));
  ctx.fields.push({ node, control, check });
  if (part.enabled !== undefined) {
    const able = () => (control.disabled = !filled(part.enabled, ctx.scope()));
    ctx.again.push(able);
    able();
  }
}

const begun = (part, ctx) => filled(part["init-value"], ctx.scope()) ?? ctx.scope().form[part.name] ?? ctx.began[part.name];

function textField(part, ctx, say) {
  const kind = part["input-type"] ?? "text";
  const area = part.type === "TextArea";
  const props = { maxlength: part["max-chars"] ?? part["max-length"] ?? (area ? 600 : 80), dir: "auto" };
  if (!area) Object.assign(props, { type: kind === "password" ? "password" : "text", inputmode: INPUTS[kind] ?? "text" });
  const control = el(area ? "textarea" : "input", area ? { ...props, rows: "4" } : props);
  control.value = begun(part, ctx) ?? "";
  const least = part["min-chars"] ?? part["min-length"] ?? 0;
  const wrong = (text) => {
    const fits = {
      email: /^\S+@\S+\.\S+$/.test(text),
      number: /^-?\d+([.,]\d+)?$/.test(text),
      phone: /^\+?[\d ()-]{5,}$/.test(text),
    };
    if (fits[kind] === false) return say("error-message") ?? `This is no ${kind === "email" ? "e-mail address" : kind}`;
    if (part.pattern && !new RegExp(`^(?:${part.pattern})$`, "u").test(text)) return say("error-message") ?? "This does not fit";
    return text.length < least ? `At least ${least} characters` : "";
  };
  return field(part, ctx, say, control, () => control.value, wrong);
}

function dropdown(part, ctx, say) {
  const control = el("select", {}, el("option", { value: "" }, "Select"));
  for (const option of say("data-source") ?? []) {
    control.append(el("option", { value: option.id, disabled: option.enabled === false }, option.title));
  }
  control.value = begun(part, ctx) ?? "";
  const node = field(part, ctx, say, control, () => control.value);
  control.addEventListener("change", () => part["on-select-action"] && ctx.act(part["on-select-action"]));
  return node;
}

function choices(part, ctx, say, type) {
  made += 1;
  const many = type === "checkbox";
  const name = `choice-${made}`;
  const before = [begun(part, ctx) ?? []].flat();
  const boxes = (say("data-source") ?? []).map((option) => {
    const box = el("input", { type, name, value: option.id, disabled: option.enabled === false });
    box.checked = before.includes(option.id);
    const text = el("span", { class: "row-text" }, el("strong", { dir: "auto" }, option.title));
    if (option.description) text.append(el("span", { dir: "auto" }, option.description));
    if (option.metadata) text.append(el("span", { dir: "auto" }, option.metadata));
    return [box, el("label", { class: "form-choice" }, text, box)];
  });
  const chosen = () => boxes.filter(([box]) => box.checked).map(([box]) => box.value);
  const value = () => (many ? chosen() : chosen()[0]);
  const needed = () => Boolean(filled(part.required ?? false, ctx.scope()));
  const label = el("legend", { dir: "auto" }, say("label") ?? "");
  if (!needed()) label.append(el("span", { class: "optional" }, " (optional)"));
  const trouble = el("p", { class: "wrong", role: "alert" });
  const about = part.description ? [el("p", { class: "form-caption", dir: "auto" }, say("description"))] : [];
  const node = el("fieldset", { class: "form-field form-choices" }, label, ...about, ...boxes.map(([, row]) => row), trouble);
  const [least, most] = [part["min-selected-items"] ?? 0, part["max-selected-items"] ?? Infinity];
  const wrong = (given) => (many && (given.length < least || given.length > most) ? `Choose ${least} to ${most}` : "");
  watch(node, part, ctx, { control: boxes[0]?.[0] ?? node, value, trouble, needed, wrong });
  node.addEventListener("change", () => {
    ctx.set(part.name, value());
    if (part["on-select-action"]) ctx.act(part["on-select-action"]);
  });
  ctx.set(part.name, value());
  return node;
}

function dateField(part, ctx, say) {
  const control = el("input", { type: "date", min: say("min-date"), max: say("max-date") });
  control.value = begun(part, ctx) ?? "";
  const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const wrong = (day) => {
    const closed = say("unavailable-dates")?.includes(day);
    const open = say("include-days");
    const off = open && !open.includes(days[new Date(`${day}T12:00:00`).getDay()]);
    return closed || off || !control.checkValidity() ? "This day cannot be chosen" : "";
  };
  return field(part, ctx, say, control, () => control.value, wrong);
}

function optIn(part, ctx, say) {
  const box = el("input", { type: "checkbox" });
  box.checked = Boolean(begun(part, ctx));
  const row = el("label", { class: "form-choice" }, el("span", { class: "row-text", dir: "auto" }, say("label")), box);
  const trouble = el("p", { class: "wrong", role: "alert" });
  const more = part["on-click-action"];
  const link = more ? [press("form-link", "Read more", () => ctx.act(more))] : [];
  const node = el("div", { class: "form-field" }, row, ...link, trouble);
  const needed = () => Boolean(filled(part.required ?? false, ctx.scope()));
  watch(node, part, ctx, { control: box, value: () => box.checked, trouble, needed });
  box.addEventListener("change", () => ctx.set(part.name, box.checked));
  ctx.set(part.name, box.checked);
  return node;
}

function navigation(part, ctx, say) {
  const rows = (say("list-items") ?? []).map((item) => {
    const about = item["main-content"] ?? {};
    const text = el("span", { class: "row-text" }, el("strong", { dir: "auto" }, about.title ?? ""));
    if (about.description) text.append(el("span", { dir: "auto" }, about.description));
    const click = () => ctx.act(item["on-click-action"] ?? part["on-click-action"]);
    return el("button", { class: "row", type: "button", on: { click } }, text, icon("out"));
  });
  return el("div", { class: "rows" }, ...rows);
}
