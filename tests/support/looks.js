// What a test of the page asks the browser: names, sizes and contrast of what can be seen.
// Answers with sentences about what is wrong.
(() => {
  const seen = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !node.closest("[inert]");
  const short = (node) => `${node.tagName.toLowerCase()}.${node.className?.baseVal ?? node.className} “${node.textContent.trim().slice(0, 40)}”`;

  function nameOf(node) {
    const by = node.getAttribute("aria-labelledby");
    if (by) return by.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
    return (
      node.getAttribute("aria-label") ||
      node.textContent.trim() ||
      node.querySelector("img[alt]")?.alt ||
      [...(node.labels ?? [])].map((label) => label.textContent.trim()).join(" ") ||
      node.getAttribute("title") ||
      ""
    );
  }

  // Colours may come as color(srgb …): a canvas makes bytes of them all.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  function bytes(colour) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  }
  const over = (top, below) => [0, 1, 2].map((n) => top[n] * top[3] + below[n] * (1 - top[3])).concat(1);

  function behind(node) {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const colour = bytes(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    const page = bytes(getComputedStyle(document.documentElement).getPropertyValue("--page"));
    return layers.reverse().reduce((below, top) => over(top, below), [...page.slice(0, 3), 1]);
  }

  const light = (colour) => {
    const [r, g, b] = colour.map((byte) => {
      const part = byte / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };

  const wrong = [];
  const usable = "button, a[href], input, textarea, select, summary, [role=switch], [role=menuitem], [tabindex='0']";
  for (const node of document.querySelectorAll(usable)) {
    if (!seen(node)) continue;
    if (!nameOf(node)) wrong.push(`no name: ${short(node)}`);
    const { width, height } = node.getBoundingClientRect();
    const isLink = node.closest(".words");
    if (!isLink && width && (width < 24 || height < 20)) wrong.push(`${Math.round(width)}×${Math.round(height)} is too small: ${short(node)}`);
  }
  for (const node of document.querySelectorAll("img")) {
    if (!node.hasAttribute("alt")) wrong.push(`no alt: ${short(node)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) wrong.push(`id ${id} is there twice`);

  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    const hidden = node.closest(".spoken, [aria-hidden=true], :disabled, noscript, script, .toast, .emoji");
    if (!own || hidden || !seen(node) || !node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    if (style.clipPath === "inset(50%)") continue;
    const found = ratio(over(bytes(style.color), behind(node)), behind(node));
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (found < (large ? 3 : 4.5)) wrong.push(`contrast ${found.toFixed(2)}: ${short(node)}`);
  }
  return [...new Set(wrong)];
})()
