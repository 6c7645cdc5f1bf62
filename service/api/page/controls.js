// Every operation of the vocabulary as a control, in groups; what the vocabulary gains is shown without a change here.

import { el } from "./dom.js";
import { fieldOf } from "./fields.js";

const FOLDED = ["dpr", "ar"]; // into w and h

const GROUPS = {
  "Size and shape": ["w", "h", "ar", "fit", "g", "crop", "trim", "dpr", "up"],
  Turn: ["rot", "flip", "bg"],
  Outline: ["radius", "mask"],
  Colour: ["bri", "con", "sat", "gam", "gray", "normalize", "equalize", "negate", "duotone"],
  Detail: ["sharpen", "blur", "pixelate", "colors", "bitonal"],
  Overlays: ["over"],
  Output: ["q", "lossless", "mb", "frame", "keep"],
};

export class Controls {
  /**
   * @param {import("./app.js").Gateway} gateway
   * @param {import("./recipe.js").Recipe} recipe
   * @param {(mode: string) => void} point
   */
  constructor(gateway, recipe, point) {
    this.recipe = recipe;
    /** @type {Map<string, {row: HTMLElement, field: import("./fields.js").Field, trouble: HTMLElement, unset: HTMLElement}>} */
    this.controls = new Map();
    this.element = el("form", { class: "controls", "aria-label": "Operations", on: { submit: (event) => event.preventDefault() } });
    this.element.append(this.head(gateway));
    for (const [title, rows] of grouped(gateway.operations)) {
      const parts = rows.map((row) => this.control(row, point));
      this.element.append(el("fieldset", {}, el("legend", { text: title }), ...parts));
    }
    recipe.addEventListener("change", () => this.show());
    this.show();
  }

  /** Presets and the format. */
  head(gateway) {
    const presets = Object.entries(gateway.presets);
    const use = (name) => {
      const chosen = presets.find(([preset]) => preset === name);
      if (chosen) this.recipe.become({ values: parsed(/** @type {string} */ (chosen[1])), format: this.recipe.format });
    };
    const preset = el(
      "select",
      { id: "preset", on: { change: (event) => (use(event.target.value), (event.target.value = "")) } },
      el("option", { value: "", text: "Start from…" }),
      ...presets.map(([name, recipe]) => el("option", { value: name, text: `${name} (${recipe})` })),
    );
    const words = { auto: "auto, by what the client takes", source: "source, as the original" };
    this.format = el(
      "select",
      { id: "format", on: { change: (event) => this.recipe.setFormat(event.target.value) } },
      ...Object.entries(words).map(([word, text]) => el("option", { value: word, text })),
      ...Object.keys(gateway.formats).map((word) => el("option", { value: word, text: word })),
    );
    return el(
      "div",
      { class: "choices" },
      el("label", { for: "format", text: "Format" }),
      this.format,
      ...(presets.length ? [el("label", { for: "preset", text: "Preset" }), preset] : []),
    );
  }

  control(row, point) {
    const field = fieldOf(row, (value) => this.recipe.set(row.key, value || null), point);
    const trouble = el("span", { class: "trouble", role: "alert" });
    const unset = el("button", { type: "button", class: "unset", text: "×", "aria-label": `Leave ${row.key} out`, title: "Leave it out", on: { click: () => this.recipe.set(row.key, null) } });
    const about = el("span", { class: "about", id: `about-${row.key}`, title: row.expects, text: row.meaning });
    const line = el("div", { class: "control", "data-key": row.key }, el("code", { class: "key", text: row.key }), field.element, unset, about, trouble);
    this.controls.set(row.key, { row: line, field, trouble, unset });
    return line;
  }

  show() {
    const { values, format } = this.recipe;
    if (this.format) this.format.value = format;
    for (const [key, { row, field, unset }] of this.controls) {
      field.show(values.get(key) ?? "");
      row.classList.toggle("set", values.has(key));
      unset.hidden = !values.has(key);
    }
  }

  /**
   * What the gateway said of the recipe: operations that it left out of the canonical name change nothing here.
   * @param {{recipe?: Record<string, string>, problem?: {detail: string}}} result
   */
  judge({ recipe, problem }) {
    const wrong = problem && /^(\w+)/.exec(problem.detail)?.[1];
    for (const [key, { row, trouble }] of this.controls) {
      const idle = recipe !== undefined && this.recipe.values.has(key) && !(key in recipe) && !FOLDED.includes(key);
      row.classList.toggle("idle", idle);
      trouble.textContent = wrong === key ? (problem?.detail ?? "") : idle ? "changes nothing in this recipe" : "";
      trouble.classList.toggle("soft", idle && wrong !== key);
    }
  }
}

/** @param {any[]} operations @returns {[string, any[]][]} */
function grouped(operations) {
  const allowed = operations.filter((row) => !["words", "overlays"].includes(row.type) || row.words.length);
  const byKey = new Map(allowed.map((row) => [row.key, row]));
  const groups = Object.entries(GROUPS).map(([title, keys]) => {
    const rows = keys.flatMap((key) => byKey.get(key) ?? []);
    for (const row of rows) byKey.delete(row.key);
    return /** @type {[string, any[]]} */ ([title, rows]);
  });
  groups.push(["More", [...byKey.values()]]);
  return groups.filter(([, rows]) => rows.length);
}

/** @param {string} recipe w=50,h=50 */
function parsed(recipe) {
  return new Map(recipe.split(",").map((part) => /** @type {[string, string]} */ (part.split(/=(.*)/s).slice(0, 2))));
}
