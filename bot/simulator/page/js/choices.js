// What can be tapped under a message of the business.

import { el, icon, toast } from "./dom.js";
import { formatted } from "./format.js";
import { documentCard, photo } from "./parts.js";

/** The choices of a message, below its words; none under what the customer wrote. */
export function choices(message, ctx) {
  if (message.author === "customer") return [];
  const value = message.content;
  const made = message.kind === "template" ? templateChoices(message, ctx) : [];
  if (message.kind === "interactive" && value.type === "carousel") return [carousel(message, ctx)];
  if (message.kind === "interactive") made.push(...actions(message, value, ctx));
  return made.length ? [el("div", { class: "choices" }, ...made)] : [];
}

function templateChoices(message, ctx) {
  const { buttons, links = [] } = message.content.shown;
  return [
    ...buttons.map((one) => choice("reply", one.title, () => ctx.act.tap(message, one.payload))),
    ...links.map((one) => templateLink(message, one, ctx)),
  ];
}

function templateLink(message, link, ctx) {
  switch (link.kind) {
    case "url":
      return linkChoice({ display_text: link.title, url: link.url });
    case "phone_number":
      return choice("person", link.title, () => toast(`A phone would call ${link.phone_number} now.`));
    case "flow":
      return choice("form", link.title, () => ctx.act.openForm(message, link.parameters), true);
    case "request_contact_info":
      return choice("person", link.title, () => ctx.act.sendNumber(message));
    default:
      return choice("copy", link.title, () => copy(link.code));
  }
}

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code);
    toast("Copied.");
  } catch {
    toast(`The code is ${code}.`);
  }
}

function actions(message, value, ctx) {
  const action = value.action;
  switch (value.type) {
    case "button":
      return replies(message, action, ctx);
    case "list":
      return [choice("list", action.button, () => ctx.act.openList(message), true)];
    case "cta_url":
      return [linkChoice(action.parameters)];
    case "location_request_message":
      return [choice("pin", "Send location", () => ctx.act.sendLocation(message))];
    case "request_contact_info":
      return [choice("person", "Share phone number", () => ctx.act.sendNumber(message))];
    case "flow": {
      const parameters = action.parameters;
      return [choice("form", parameters.flow_cta, () => ctx.act.openForm(message, parameters), true)];
    }
    default:
      return [el("p", { class: "choice unable" }, "Shopping is not simulated")];
  }
}

const replies = (message, action, ctx) =>
  action.buttons.map(({ reply }) => choice("reply", reply.title, () => ctx.act.tap(message, reply.id)));

/** Cards side by side, to be looked through. */
function carousel(message, ctx) {
  const cards = message.content.action.cards.map((card) => {
    const { header, body, action } = card;
    const picture = header.type === "image" ? photo(header.image) : documentCard({ ...header.video, filename: "Video" });
    const words = body ? [el("p", { class: "words", dir: "auto" }, ...formatted(body.text))] : [];
    const below = action.buttons ? replies(message, action, ctx) : [linkChoice(action.parameters)];
    return el("li", { class: "card-slide" }, picture, ...words, el("div", { class: "choices" }, ...below));
  });
  return el("ul", { class: "carousel", tabindex: "0", "aria-label": "Cards" }, ...cards);
}

function choice(symbol, title, click, opens = false) {
  const props = { class: "choice", type: "button", on: { click } };
  if (opens) props["aria-haspopup"] = "dialog";
  return el("button", props, icon(symbol), el("span", { dir: "auto" }, title));
}

function linkChoice({ display_text: title, url }) {
  const href = /^https?:\/\//i.test(url) ? url : "#";
  return el(
    "a",
    { class: "choice", href, target: "_blank", rel: "noopener noreferrer" },
    icon("out"),
    el("span", { dir: "auto" }, title),
  );
}
