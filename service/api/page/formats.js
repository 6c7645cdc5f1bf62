// One recipe in all formats, side by side: picture, bytes, time.

import { picture } from "./api.js";
import { el } from "./dom.js";
import { escape, printName } from "./names.js";
import { duration, size } from "./words.js";

export class FormatsTable {
  /** @param {string} image @param {import("./app.js").Gateway} gateway @param {import("./recipe.js").Recipe} recipe */
  constructor(image, gateway, recipe) {
    this.image = image;
    this.gateway = gateway;
    this.recipe = recipe;
    this.left = new AbortController();
    /** @type {string[]} */
    this.addresses = [];
    this.list = el("ul", { class: "formats" });
    this.button = el("button", { type: "button", class: "strong", text: "Make it in every format", on: { click: () => this.make() } });
    this.element = el("div", { class: "pane" }, el("p", { class: "soft", text: "The recipe as it stands, in each format that this gateway writes." }), this.button, this.list);
    recipe.addEventListener("change", () => this.list.classList.add("stale"));
  }

  close() {
    this.left.abort();
    this.addresses.forEach((address) => URL.revokeObjectURL(address));
  }

  async make() {
    this.close();
    this.left = new AbortController();
    this.addresses = [];
    this.list.classList.remove("stale");
    this.list.replaceChildren();
    const { signal } = this.left;
    const words = Object.keys(this.gateway.formats);
    /** @type {{bytes: number, row: any}[]} */
    const made = [];
    for (const word of words) {
      const row = el("li", {}, el("strong", { text: word }), el("span", { class: "soft", text: "…" }));
      this.list.append(row);
      const name = printName(this.image, fitting(this.recipe.values, this.gateway.formats[word]), word);
      try {
        const got = await picture(`/images/${escape(name)}`, { signal, cache: "no-store" });
        made.push({ bytes: got.bytes, row: this.fill(row, word, got) });
      } catch (error) {
        if (signal.aborted) return;
        row.lastChild.textContent = /** @type {Error} */ (error).message;
        row.classList.add("refused");
      }
      rank(made);
    }
  }

  fill(row, word, got) {
    const address = URL.createObjectURL(got.blob);
    this.addresses.push(address);
    const shown = el("img", { src: address, alt: `as ${word}`, on: { error: () => shown.replaceWith(el("span", { class: "thumbless soft", text: "not shown by this browser" })) } });
    const use = el("button", { type: "button", class: "small", text: "Use", "aria-label": `Use ${word}`, on: { click: () => this.recipe.setFormat(word) } });
    row.replaceChildren(
      shown,
      el("strong", { text: word }),
      el("span", { class: "bytes", text: size(got.bytes) }),
      el("span", { class: "soft", text: `${duration(got.seconds)} · ${got.cache}` }),
      use,
      el("span", { class: "scale" }),
    );
    return row;
  }
}

/** Operations that only some formats take are left out for the others, which would refuse them. */
function fitting(values, format) {
  const fit = new Map(values);
  if (!format.quality || format.lossless === undefined) fit.delete("lossless");
  if (!format.quality) fit.delete("mb");
  return fit;
}

function rank(made) {
  const most = Math.max(...made.map((one) => one.bytes));
  const least = Math.min(...made.map((one) => one.bytes));
  for (const { bytes, row } of made) {
    row.style.setProperty("--part", String(bytes / most));
    row.classList.toggle("least", bytes === least);
  }
}
