// What is known of an original.

import { el } from "./dom.js";
import { count, size } from "./words.js";

const SHOWN = {
  bytes: (value) => `${size(value)} (${count(value)} bytes)`,
  duration: (value) => `${value} s`,
  alpha: (value) => (value ? "yes" : "no"),
};

/** @param {string} image @param {Record<string, any>} found */
export function aboutOf(image, found) {
  const rows = Object.entries(found)
    .filter(([key, value]) => key !== "placeholder" && value !== null)
    .map(([key, value]) => [key.replaceAll("_", " "), key === "dominant_colour" ? swatch(value) : text(key, value)]);
  const list = [["name", image], ...rows].flatMap(([key, value]) => [el("dt", { text: key }), el("dd", {}, value)]);
  return el("div", { class: "pane" }, el("dl", { class: "about-list" }, ...list));
}

function text(key, value) {
  if (key in SHOWN) return SHOWN[/** @type {keyof typeof SHOWN} */ (key)](value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function swatch(colour) {
  const patch = el("span", { class: "swatch" });
  patch.style.background = colour;
  return el("span", {}, patch, colour);
}
