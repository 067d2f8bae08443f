// One message as a bubble.

import { choices } from "./choices.js";
import { el, icon, spoken } from "./dom.js";
import { formatted, onlyEmoji } from "./format.js";
import { contactCard, documentCard, locationCard, photo, sticker, voiceNote } from "./parts.js";
import { hour } from "./time.js";

const TICKS = {
  accepted: ["clock", "Waiting"],
  sent: ["tick", "Sent"],
  delivered: ["ticks", "Delivered"],
  read: ["ticks", "Read"],
  failed: ["alert", "Not delivered"],
};

/**
 * The element of a message.
 * @param {any} message
 * @param {{business: string, find: (id: string) => any, act: any}} ctx
 */
export function bubble(message, ctx) {
  const mine = message.author === "customer";
  const bare = message.kind === "sticker";
  const node = el("div", {
    class: `msg ${mine ? "out" : "in"} kind-${safe(message.kind)}${bare ? " bare" : ""}`,
    "data-id": message.id,
    "data-order": message.order,
  });
  const box = el("div", { class: "bubble" }, spoken(mine ? "You: " : `${ctx.business}: `));
  const quote = mine && isTap(message) ? null : quoted(message, ctx);
  if (quote) box.append(quote);
  box.append(...content(message, ctx), meta(message));
  box.append(...choices(message, ctx), menuButton(message, ctx));
  node.append(box);
  if (message.reactions.length) node.append(reactions(message));
  return node;
}

const safe = (kind) => String(kind).replace(/[^a-z_]/g, "");

const isTap = (message) => message.kind === "button" || message.kind === "interactive";

/** A line that says what a message is, for quotes and the list of chats. */
export function summary(message) {
  const { kind, content: value } = message;
  if (kind === "text") return value.body;
  if (kind === "button") return value.text;
  if (kind === "template") return value.shown.body;
  if (kind === "interactive") {
    const reply = value.button_reply ?? value.list_reply;
    return reply ? reply.title : (value.nfm_reply?.body ?? value.body?.text ?? "");
  }
  if (kind === "document") return `📄 ${value.filename ?? "Document"}`;
  if (kind === "contacts") return `👤 ${value[0].name.formatted_name}`;
  if (kind === "reaction") return `Reacted ${value.emoji ?? ""}`;
  const names = {
    audio: "🎤 Voice note",
    image: "📷 Photo",
    video: "🎥 Video",
    sticker: "Sticker",
    location: "📍 Location",
  };
  return names[kind] ?? "Message";
}

function content(message, ctx) {
  const value = message.content;
  switch (message.kind) {
    case "text":
      return [words(value.body)];
    case "button":
      return [words(value.text)];
    case "interactive":
      return interactive(value);
    case "template":
      return template(value.shown);
    case "image":
      return [photo(value), ...caption(value)];
    case "video":
      return [documentCard({ ...value, filename: "Video" }, message.file), ...caption(value)];
    case "document":
      return [documentCard(value, message.file), ...caption(value)];
    case "audio":
      return [voiceNote(value, message.id)];
    case "sticker":
      return [sticker(value)];
    case "location":
      return [locationCard(value)];
    case "contacts":
      return value.map((card) => contactCard(card));
    default:
      return [el("p", { class: "words odd" }, `A message that businesses cannot read (${message.kind})`)];
  }
}

function words(text, extra = "") {
  const large = onlyEmoji(text) ? "emoji" : "";
  return el("p", { class: `words ${large} ${extra}`, dir: "auto" }, ...formatted(text));
}

const caption = (value) => (value.caption ? [words(value.caption)] : []);

function interactive(value) {
  const reply = value.button_reply ?? value.list_reply;
  if (reply) {
    const more = reply.description
      ? [el("br"), el("span", { class: "fine" }, reply.description)]
      : [];
    return [el("p", { class: "words", dir: "auto" }, reply.title, ...more)];
  }
  if (value.nfm_reply) return [words(value.nfm_reply.body, "odd")];
  const parts = [];
  const header = value.header;
  if (header?.type === "text") parts.push(el("p", { class: "head", dir: "auto" }, header.text));
  if (header?.type === "image") parts.push(photo(header.image));
  if (header?.type === "video") parts.push(documentCard({ ...header.video, filename: "Video" }));
  if (header?.type === "document") parts.push(documentCard(header.document));
  if (value.body) parts.push(words(value.body.text));
  if (value.footer) parts.push(el("p", { class: "foot", dir: "auto" }, value.footer.text));
  return parts;
}

function template(shown) {
  const parts = [];
  if (shown.header) parts.push(el("p", { class: "head", dir: "auto" }, shown.header));
  parts.push(words(shown.body));
  if (shown.footer) parts.push(el("p", { class: "foot", dir: "auto" }, shown.footer));
  return parts;
}

/** Time and ticks. */
export function meta(message) {
  const node = el("span", { class: "meta" });
  node.append(el("time", { datetime: message.at }, hour(new Date(message.at))));
  if (message.author === "customer") node.append(...ticks(message));
  return node;
}

/** How far a message of the customer has got. */
export function ticks(message) {
  const [name, label] = TICKS[message.status] ?? TICKS.accepted;
  return [icon(name, `ticks ${message.status}`), spoken(label)];
}

function quoted(message, ctx) {
  const target = message.reply_to && ctx.find(message.reply_to);
  if (!target) return null;
  const who = target.author === "customer" ? "You" : ctx.business;
  return el(
    "button",
    { class: "quote", type: "button", on: { click: () => ctx.act.show(target) } },
    el("strong", {}, who),
    el("span", { dir: "auto" }, summary(target)),
  );
}

function reactions(message) {
  return el("div", { class: "reactions" }, spoken("Reactions: "), message.reactions.join(" "));
}

function menuButton(message, ctx) {
  return el(
    "button",
    {
      class: "more",
      type: "button",
      "aria-haspopup": "menu",
      on: { click: (event) => ctx.act.menu(message, event.currentTarget) },
    },
    icon("down"),
    spoken("Reply, react or look inside"),
  );
}
