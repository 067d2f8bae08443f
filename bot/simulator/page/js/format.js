// WhatsApp's text formatting: *bold*, _italic_, ~strike~, ```mono```, `code`, lists, quotes, links.

import { el } from "./dom.js";

const TAGS = { "*": "strong", _: "em", "~": "del" };
const INLINE =
  /```([^]+?)```|`([^`\n]+)`|(?<![\p{L}\p{N}])([*_~])(?=\S)([^\n]+?)(?<=\S)\3(?![\p{L}\p{N}])|(https?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)])/gu;
const LONGEST = 8192;
const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D\p{Extended_Pictographic})*|\s){1,6}$/u;

/** The text as nodes. */
export function formatted(text) {
  if (text.length > LONGEST) return [document.createTextNode(text)];
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, n) => {
    const asQuote = /^> ?(\S.*)$/.exec(line);
    const asItem = /^[-*] (\S.*)$/.exec(line);
    if (asQuote) {
      if (quote) quote.append("\n");
      else nodes.push((quote = el("span", { class: "quoted-line" })));
      quote.append(...inline(asQuote[1]));
      return;
    }
    if (n && !quote) nodes.push("\n");
    quote = null;
    if (asItem) nodes.push(el("span", { class: "item" }, ...inline(asItem[1])));
    else nodes.push(line);
  });
  return joined(nodes);
}

/** Whether a text is a few emoji and nothing else: they are shown large. */
export function onlyEmoji(text) {
  return text.trim() !== "" && ONLY_EMOJI.test(text.trim());
}

// Lines that are plain text are put together again before they are read, because mono may
// reach over several of them.
function joined(nodes) {
  const result = [];
  let plain = "";
  for (const node of [...nodes, null]) {
    if (typeof node === "string") {
      plain += node;
    } else {
      if (plain) result.push(...inline(plain));
      plain = "";
      if (node) result.push(node);
    }
  }
  return result;
}

function inline(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) nodes.push(text.slice(from, match.index));
    nodes.push(marked(match));
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

function marked([, block, code, mark, inside, url]) {
  if (block !== undefined) return el("code", { class: "block" }, block);
  if (code !== undefined) return el("code", {}, code);
  if (url !== undefined) {
    return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url);
  }
  return el(TAGS[mark], {}, ...inline(inside));
}
