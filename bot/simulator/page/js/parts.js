// What a message may carry: photo, sticker, voice note, document, place, contact card.

import { avatar, el, icon } from "./dom.js";

const fileUrl = (id) => `/simulator/media/${encodeURIComponent(id)}`;

export function photo(value) {
  if (!value.id) return outside(value.link, "photo", "Photo");
  return el("img", { class: "photo", src: fileUrl(value.id), alt: value.caption || "Photo" });
}

export function sticker(value) {
  if (!value.id) return outside(value.link, "photo", "Sticker");
  return el("img", { class: "sticker", src: fileUrl(value.id), alt: "Sticker" });
}

export function documentCard(value, file) {
  const name = value.filename || "Document";
  const dot = name.lastIndexOf(".");
  const kind = dot > 0 ? name.slice(dot + 1, dot + 5).toUpperCase() : "FILE";
  const calendar = kind === "ICS";
  const about = [calendar ? "Calendar" : kind, size(file)].filter(Boolean).join(" · ");
  return el(
    "a",
    {
      class: "document",
      href: value.id ? fileUrl(value.id) : webLink(value.link),
      download: value.id ? name : false,
      target: value.id ? false : "_blank",
      rel: "noopener noreferrer",
    },
    el("span", { class: `file ${calendar ? "calendar" : ""}` }, calendar ? icon("calendar") : kind),
    el("span", { class: "about" }, el("strong", { dir: "auto" }, name), el("span", {}, about)),
    icon("download"),
  );
}

function size(file) {
  if (!file) return "";
  if (file.size < 1024) return `${file.size} B`;
  const kilobytes = file.size / 1024;
  return kilobytes < 1024 ? `${Math.round(kilobytes)} KB` : `${(kilobytes / 1024).toFixed(1)} MB`;
}

export function voiceNote(value, seed) {
  const sound = value.id ? new Audio(fileUrl(value.id)) : null;
  const bars = el("span", { class: "bars" }, ...waves(seed));
  const length = el("span", { class: "length" }, "0:03");
  const play = el("button", { class: "play", type: "button", "aria-label": "Play voice note" });
  play.append(icon("play"));
  if (sound) {
    sound.preload = "metadata";
    const tell = () => {
      const at = sound.paused && !sound.currentTime ? sound.duration : sound.currentTime;
      if (Number.isFinite(at)) length.textContent = minutes(at);
      const done = sound.duration ? sound.currentTime / sound.duration : 0;
      bars.style.setProperty("--done", `${Math.round(done * 100)}%`);
    };
    const turn = () => {
      play.replaceChildren(icon(sound.paused ? "play" : "pause"));
      play.setAttribute("aria-label", sound.paused ? "Play voice note" : "Pause voice note");
    };
    for (const event of ["loadedmetadata", "timeupdate", "ended"]) sound.addEventListener(event, tell);
    for (const event of ["play", "pause", "ended"]) sound.addEventListener(event, turn);
    play.addEventListener("click", () => (sound.paused ? sound.play() : sound.pause()));
  } else {
    play.disabled = true;
  }
  return el("div", { class: "voice" }, play, el("span", { class: "track" }, bars, length));
}

const minutes = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function waves(seed) {
  const bars = [];
  for (let n = 0; n < 34; n += 1) {
    const char = seed.charCodeAt((n * 7 + 11) % seed.length);
    const bar = el("i");
    bar.style.height = `${18 + ((char * (n + 3)) % 82)}%`;
    bars.push(bar);
  }
  return bars;
}

export function locationCard(value) {
  const place = value.name || value.address || `${round(value.latitude)}, ${round(value.longitude)}`;
  const parts = [el("span", { class: "map" }, icon("pin")), el("strong", { dir: "auto" }, place)];
  if (value.name && value.address) parts.push(el("span", { dir: "auto" }, value.address));
  return el("div", { class: "place" }, ...parts);
}

const round = (degrees) => Number(degrees).toFixed(4);

export function contactCard(card) {
  const name = card.name?.formatted_name ?? "Contact";
  const phone = card.phones?.[0]?.phone ?? "";
  return el(
    "div",
    { class: "contact" },
    avatar(name),
    el("span", { class: "about" }, el("strong", { dir: "auto" }, name), el("span", {}, phone)),
  );
}

// Files elsewhere on the web are named, not loaded: the page stays on this computer.
function outside(link, symbol, name) {
  return el(
    "a",
    { class: "document", href: webLink(link), target: "_blank", rel: "noopener noreferrer" },
    el("span", { class: "file" }, icon(symbol)),
    el("span", { class: "about" }, el("strong", {}, name), el("span", {}, host(link))),
    icon("out"),
  );
}

const webLink = (link) => (/^https?:\/\//i.test(link ?? "") ? link : "#");

function host(link) {
  try {
    return new URL(link).host;
  } catch {
    return "";
  }
}
