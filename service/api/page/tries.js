// The last tries of a picture: what each recipe cost, and a way back to it.

import { el } from "./dom.js";
import { printName, readName } from "./names.js";
import { duration, size } from "./words.js";

const HELD = 12;

export class Tries {
  /** @param {import("./recipe.js").Recipe} recipe */
  constructor(recipe) {
    this.recipe = recipe;
    this.rows = el("tbody");
    const heads = ["Recipe", "Format", "Bytes", "Time", "X-Cache"].map((text) => el("th", { scope: "col", text }));
    this.element = el(
      "details",
      { class: "tries", open: true },
      el("summary", { text: "Tries" }),
      el("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": "Tries" }, el("table", {}, el("thead", {}, el("tr", {}, ...heads)), this.rows)),
    );
    this.element.hidden = true;
  }

  /** @param {string} canonical @param {{bytes: number, seconds: number, cache: string, type: string}} got */
  add(canonical, got) {
    const name = readName(canonical);
    if (!name) return;
    const state = { values: name.recipe, format: name.format };
    const back = el("button", { type: "button", class: "link", text: printName("", name.recipe, name.format).slice(1), on: { click: () => this.recipe.become(state) } });
    const cells = [back, got.type.replace("image/", ""), size(got.bytes), duration(got.seconds), el("span", { class: `cache ${got.cache.split("-")[0].toLowerCase()}`, text: got.cache })];
    this.rows.prepend(el("tr", {}, ...cells.map((cell) => el("td", {}, cell))));
    while (this.rows.children.length > HELD) this.rows.lastChild?.remove();
    this.element.hidden = false;
  }
}
