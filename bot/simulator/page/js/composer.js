// Where the customer writes.

import { el, icon, spoken } from "./dom.js";
import { openMenu } from "./menu.js";
import { summary } from "./bubble.js";

const ATTACHMENTS = [
  { kind: "photo", icon: "photo", tone: "violet", text: "Photo" },
  { kind: "document", icon: "file", tone: "indigo", text: "Document" },
  { kind: "location", icon: "pin", tone: "green", text: "Location" },
  { kind: "contact", icon: "person", tone: "blue", text: "Contact" },
  { kind: "sticker", icon: "sticker", tone: "teal", text: "Sticker" },
  { kind: "voice", icon: "mic", tone: "orange", text: "Voice note", short: "Voice" },
  { kind: "unsupported", icon: "poll", tone: "yellow", text: "Poll" },
];

/**
 * @param {{screen: HTMLElement, business: string,
 *          send: (message: any) => Promise<boolean>}} options
 */
export function composer({ screen, business, send }) {
  let replyTo = null;
  const box = el("textarea", {
    rows: "1",
    placeholder: "Message",
    "aria-label": `Message to ${business}`,
    enterkeyhint: "send",
    maxlength: "65536",
  });
  const go = el("button", { class: "go", type: "button" });
  const attach = el(
    "button",
    { class: "attach", type: "button", "aria-haspopup": "menu", "aria-expanded": "false" },
    icon("clip"),
    spoken("Attach"),
  );
  const quote = el("div", { class: "answering" });
  const node = el(
    "form",
    { class: "composer", autocomplete: "off" },
    el("div", { class: "pill" }, quote, el("div", { class: "line" }, box, attach)),
    go,
  );

  const fit = () => {
    const text = box.value.trim() !== "";
    go.replaceChildren(icon(text ? "send" : "mic"), spoken(text ? "Send" : "Send a voice note"));
    box.style.height = "auto";
    if (box.scrollHeight) box.style.height = `${Math.min(box.scrollHeight, 120)}px`;
  };
  const answer = (message) => {
    replyTo = message;
    quote.replaceChildren();
    quote.classList.toggle("shown", Boolean(message));
    if (!message) return;
    const drop = el("button", { type: "button", "aria-label": "Do not reply to it" }, icon("close"));
    drop.addEventListener("click", () => answer(null));
    const who = message.author === "customer" ? "You" : business;
    quote.append(
      el("span", {}, el("strong", {}, who), el("span", { dir: "auto" }, summary(message))),
      drop,
    );
    box.focus();
  };
  const submit = async () => {
    const text = box.value;
    if (!text.trim()) return send({ kind: "voice" });
    const message = replyTo ? { text, reply_to: replyTo.id } : { text };
    const quotedBefore = replyTo;
    box.value = "";
    answer(null);
    fit();
    if (!(await send(message)) && !box.value) {
      box.value = text;
      answer(quotedBefore);
      fit();
    }
    return true;
  };

  box.addEventListener("input", fit);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (box.value.trim()) submit();
    } else if (event.key === "Escape") answer(null);
  });
  node.addEventListener("submit", (event) => event.preventDefault());
  go.addEventListener("click", submit);
  attach.addEventListener("click", () => {
    const items = ATTACHMENTS.map((one) => ({ ...one, run: () => send({ kind: one.kind }) }));
    openMenu(screen, attach, "grid", items);
  });
  fit();
  const hint = (empty) => {
    box.placeholder = empty ? "Type hi" : "Message";
  };
  return { node, answer, hint, focus: () => box.focus({ preventScroll: true }) };
}
