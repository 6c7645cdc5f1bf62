// A control for each type of value that the vocabulary has. Each is made from its row, and says its value as text.

import { el } from "./dom.js";

/**
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {(value: string) => void} show set what is seen; empty where the recipe has none
 */

/**
 * @param {any} row a row of the vocabulary
 * @param {(value: string) => void} changed
 * @param {(mode: string) => void} point have people point into the picture
 * @returns {Field}
 */
export function fieldOf(row, changed, point) {
  const make = FIELDS[/** @type {keyof typeof FIELDS} */ (row.type)] ?? text;
  return make(row, changed, point);
}

const FIELDS = { integer: number, decimal: number, switch: toggle, word, words, colour, point: place, region, tuple, colours, border, ratio, overlays };
const LARGEST_SLIDER = 70_000; // of a greater range a pixel of the slider means nothing

function labels(row) {
  return { "aria-label": row.key, "aria-describedby": `about-${row.key}` };
}

function number(row, changed) {
  const step = row.places ? 10 ** -row.places : 1;
  const range = { min: row.min, max: row.max, step };
  const input = el("input", { type: "number", inputmode: row.places ? "decimal" : "numeric", ...range, ...labels(row), placeholder: row.default ?? "", on: { input: () => changed(input.value) } });
  if (row.max - row.min > LARGEST_SLIDER) return { element: el("span", { class: "field" }, input), show: (value) => show(input, value) };
  const neutral = Number(row.default ?? row.min);
  const slider = el("input", { type: "range", ...range, value: String(neutral), "aria-label": `${row.key}, slider`, on: { input: () => changed(slider.value) } });
  const word = row.words?.length
    ? el("button", { type: "button", class: "small", text: row.words[0], "aria-pressed": "false", on: { click: () => changed(row.words[0]) } })
    : null;
  return {
    element: el("span", { class: "field" }, slider, input, word),
    show(value) {
      const isWord = row.words?.includes(value) ?? false;
      show(input, isWord ? "" : value);
      slider.value = value && !isWord ? value : String(neutral);
      word?.setAttribute("aria-pressed", String(isWord));
    },
  };
}

/** Not while people write in it: their spelling stays. */
function show(input, value) {
  if (document.activeElement !== input || Number(input.value) !== Number(value)) input.value = value;
}

function toggle(row, changed) {
  const input = el("input", { type: "checkbox", role: "switch", ...labels(row), on: { change: () => changed(input.checked ? "1" : "") } });
  return { element: el("span", { class: "field end" }, input), show: (value) => (input.checked = value === "1") };
}

function choice(row, words, changed) {
  const usual = el("option", { value: "", text: row.default ? `${row.default} (default)` : "none" });
  const options = words.filter((one) => one !== row.default).map((one) => el("option", { value: one, text: one }));
  return el("select", { ...labels(row), on: { change: (event) => changed(event.target.value) } }, usual, ...options);
}

function word(row, changed) {
  const select = choice(row, row.words, changed);
  return { element: el("span", { class: "field" }, select), show: (value) => (select.value = value === row.default ? "" : value) };
}

function words(row, changed) {
  const boxes = row.words.map((one) => el("input", { type: "checkbox", value: one, on: { change: () => changed(boxes.filter((box) => box.checked).map((box) => box.value).join(":")) } }));
  const parts = boxes.map((box) => el("label", { class: "tick" }, box, box.value));
  return {
    element: el("span", { class: "field", role: "group", ...labels(row) }, ...parts),
    show: (value) => boxes.forEach((box) => (box.checked = value.split(":").includes(box.value))),
  };
}

function colour(row, changed) {
  const well = el("input", { type: "color", "aria-label": `${row.key}, colour`, on: { input: () => changed(well.value.slice(1)) } });
  const input = text(row, changed);
  return {
    element: el("span", { class: "field" }, well, input.element),
    show(value) {
      input.show(value);
      const hex = value || row.default || "000000";
      well.value = `#${hex.length < 6 ? [...hex.slice(0, 3)].map((digit) => digit + digit).join("") : hex.slice(0, 6)}`;
    },
  };
}

function colours(row, changed) {
  const input = text(row, changed);
  const shown = row.expects.includes("dark") ? ["dark", "light"] : Array.from({ length: row.count }, (_, index) => `${index + 1}`);
  const wells = shown.map((name, index) => el("input", { type: "color", value: index ? "#ffffff" : "#000000", "aria-label": `${row.key}, ${name}`, on: { input: tell } }));
  function tell() {
    changed(wells.map((well) => well.value.slice(1)).join(":"));
  }
  return {
    element: el("span", { class: "field" }, ...wells, input.element),
    show(value) {
      input.show(value);
      value.split(":").forEach((part, index) => wells[index] && hex(part) && (wells[index].value = hex(part)));
    },
  };
}

/** A number, and a colour behind it that may be left out. */
function border(row, changed) {
  let [fuzz, colour] = ["", ""];
  const tell = () => changed(fuzz && colour ? `${fuzz}:${colour}` : fuzz || (colour && `${row.min}:${colour}`));
  const amount = number(row, (value) => ((fuzz = value), tell()));
  const input = el("input", { type: "text", spellcheck: "false", autocomplete: "off", size: "8", placeholder: "colour", "aria-label": `${row.key}, colour`, on: { input: () => ((colour = input.value.trim()), tell()) } });
  amount.element.classList.add("two");
  amount.element.append(input);
  return {
    element: amount.element,
    show(value) {
      const [first, ...rest] = value.split(":");
      [fuzz, colour] = [first, rest.join(":")];
      amount.show(fuzz);
      if (document.activeElement !== input) input.value = colour;
    },
  };
}

/** A colour as wells take it, without its transparency; empty where the text is not one. */
function hex(digits) {
  const short = digits.length === 3 || digits.length === 4;
  const whole = short ? [...digits.slice(0, 3)].map((digit) => digit + digit).join("") : digits.slice(0, 6);
  return /^[0-9a-f]{6}$/i.test(whole) ? `#${whole}` : "";
}

/** The value as text, and a button for each overlay that the configuration names: it puts one more on top. */
function overlays(row, changed) {
  const input = text(row, changed);
  const add = (name) => changed([input.element.value.trim(), name].filter(Boolean).join("~"));
  const buttons = row.words.map((name) => el("button", { type: "button", class: "small", text: `+ ${name}`, on: { click: () => add(name) } }));
  return { element: el("span", { class: "field" }, input.element, ...buttons), show: input.show };
}

const RATIOS = ["1:1", "4:3", "3:2", "16:9", "9:16", "1.91:1"];

/** A shape of which the usual ones are offered. */
function ratio(row, changed) {
  const input = text(row, changed);
  const offered = el("datalist", { id: `offered-${row.key}` }, ...RATIOS.map((value) => el("option", { value })));
  input.element.setAttribute("list", offered.id);
  return { element: el("span", { class: "field" }, input.element, offered), show: input.show };
}

function place(row, changed, point) {
  const select = choice(row, row.words, changed);
  const own = el("option", { value: "own", hidden: true });
  select.append(own);
  return {
    element: el("span", { class: "field" }, select, pointer("Point…", () => point("focus"))),
    show(value) {
      const known = value === "" || row.words.includes(value);
      own.hidden = known;
      own.value = known ? "own" : value;
      own.textContent = value;
      select.value = value === row.default ? "" : value;
    },
  };
}

function region(row, changed, point) {
  const input = text(row, changed);
  return { element: el("span", { class: "field" }, input.element, pointer("Draw…", () => point("crop"))), show: input.show };
}

function pointer(word, work) {
  return el("button", { type: "button", class: "small", text: word, on: { click: work } });
}

function tuple(row, changed) {
  const names = row.expects.split(/[:,]/);
  const inputs = row.parts.map((part, index) =>
    el("input", { type: "number", min: part.min, max: part.max, step: 10 ** -(part.places ?? 0), placeholder: part.default ?? names[index], "aria-label": `${row.key}: ${names[index]}`, on: { input: tell } }),
  );
  function tell() {
    const values = inputs.map((input, index) => input.value || row.parts[index].default || "");
    while (values.length > 1 && !inputs[values.length - 1].value) values.pop();
    changed(inputs[0].value ? values.join(":") : "");
  }
  return {
    element: el("span", { class: "field", role: "group", ...labels(row) }, ...inputs),
    show: (value) => value.split(":").forEach((part, index) => inputs[index] && show(inputs[index], part)) ?? (value || inputs.forEach((input) => show(input, ""))),
  };
}

function text(row, changed) {
  const input = el("input", { type: "text", spellcheck: "false", autocomplete: "off", ...labels(row), placeholder: row.default ?? "", on: { input: () => changed(input.value.trim()) } });
  return { element: input, show: (value) => document.activeElement !== input && (input.value = value) };
}
