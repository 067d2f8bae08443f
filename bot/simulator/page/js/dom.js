// Builds elements. Text is always set as text, never parsed as HTML.

/**
 * @param {string} tag
 * @param {Record<string, any>} [props] attributes; `on` holds listeners, `class` the classes
 * @param {...(Node|string|null|undefined|false)} children
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (value === true) {
      node.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, String(value));
    }
  }
  add(node, children);
  return node;
}

export function add(node, children) {
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
}

/** A text that only screen readers get. */
export function spoken(text) {
  return el("span", { class: "spoken" }, text);
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon from the sprite. */
export function icon(name, extra = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${extra}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/page/img/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** The round thing with initials. */
export function avatar(name, extra = "") {
  const initials = [...name.matchAll(/\p{L}|\p{N}/gu)].length
    ? name
        .split(/\s+/)
        .map((word) => [...word][0] ?? "")
        .slice(0, 2)
        .join("")
        .toUpperCase()
    : "?";
  let hue = 0;
  for (const char of name) hue = (hue * 31 + char.codePointAt(0)) % 360;
  const node = el("span", { class: `avatar ${extra}`, "aria-hidden": "true" }, initials);
  node.style.setProperty("--hue", String(hue));
  return node;
}

/** Keeps Tab inside a box. */
export function trapTab(event, box) {
  if (event.key !== "Tab") return;
  const stops = [...box.querySelectorAll("button, [href], input, select, textarea, [tabindex]")].filter(
    (node) => !node.disabled && node.tabIndex >= 0 && node.offsetParent !== null,
  );
  if (!stops.length) return;
  const [first, last] = [stops[0], stops.at(-1)];
  const active = document.activeElement;
  if (event.shiftKey && (active === first || active === box)) {
    last.focus();
    event.preventDefault();
  } else if (!event.shiftKey && active === last) {
    first.focus();
    event.preventDefault();
  }
}

/** Says something at the bottom of the page for a moment. */
export function toast(text) {
  const node = document.getElementById("toast");
  node.textContent = text;
  node.classList.add("shown");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => node.classList.remove("shown"), 3500);
}
