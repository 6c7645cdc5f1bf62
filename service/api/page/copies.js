// The picture as text to copy: URLs, HTML, commands, a line of the configuration.

import { json, post } from "./api.js";
import { copy, el } from "./dom.js";
import { leafOf, escape, printName } from "./names.js";

const WIDTHS = [320, 640, 960, 1280, 1920, 2560]; // pixels
const LIFETIMES = { "10m": "10 minutes", "1h": "an hour", "1d": "a day", "7d": "a week" };
const SOURCES = ["avif", "webp"]; // of <picture>, the best first

export class Copies {
  /** @param {string} image @param {import("./app.js").Gateway} gateway @param {import("./recipe.js").Recipe} recipe @param {{width: number, height: number}} size */
  constructor(image, gateway, recipe, size) {
    this.image = image;
    this.gateway = gateway;
    this.recipe = recipe;
    this.size = size;
    this.list = el("div", { class: "copies" });
    this.lifetime = el("select", { id: "lifetime", on: { change: () => this.show() } }, ...Object.entries(LIFETIMES).map(([value, text]) => el("option", { value, text })));
    this.lifetime.value = "1h";
    const lifetime = el("p", { class: "lifetime" }, el("label", { for: "lifetime", text: "Signed and temporary URLs hold for" }), this.lifetime);
    this.element = el("div", { class: "pane" }, gateway.may("url") && lifetime, this.list);
    this.written = "";
  }

  /** Write them anew unless they are what was written last: what was signed stays. */
  refresh() {
    if (this.written !== this.name) this.show();
  }

  get name() {
    return printName(this.image, this.recipe.values, this.recipe.format);
  }

  /** Write all of them anew. */
  async show() {
    const { gateway } = this;
    this.written = this.name;
    const signed = gateway.access === "signed" && gateway.signing && gateway.may("url");
    const ask = { sign: signed, lifetime: signed ? this.lifetime.value : null };
    const widths = WIDTHS.filter((width, index) => index === 0 || width <= this.size.width);
    const names = this.responsive(widths);
    let results;
    try {
      results = await (await post("/names", { names: [this.name, ...Object.values(names).flat()], ...ask })).json();
    } catch (error) {
      return this.list.replaceChildren(el("p", { class: "trouble", text: /** @type {Error} */ (error).message }));
    }
    const [own, ...rest] = results;
    if (own.problem) return this.list.replaceChildren(el("p", { class: "trouble", text: own.problem.detail }));
    const url = own.url ?? "";
    const file = `${leafOf(this.image).replace(/\.\w+$/, "")}.${["auto", "source"].includes(own.format) ? "jpg" : own.format}`;
    const from = Object.fromEntries(rest.map((one) => [one.name, one.url ?? ""]));
    const srcset = (format) => names[format].map((name, index) => `${from[name]} ${widths[index]}w`).join(",\n    ");
    const refused = url ? "" : `The public port takes ${gateway.access === "presets" ? "presets" : "signed URLs"} only.`;
    const recipe = this.recipe.values.size ? [...this.recipe.values].map(([key, value]) => `${key}=${value}`).join(",") : "full";
    this.list.replaceChildren(
      snippet("URL", url, refused),
      snippet("Canonical name", own.canonical),
      this.made("Signed URL", "Sign", gateway.signing ? "" : "There is no key to sign with: public.keys of the configuration.", () => this.sign()),
      this.made("Temporary URL", "Make", "", () => this.temporary()),
      snippet("<img srcset>", url && `<img src="${url}"\n  srcset="${srcset("own")}"\n  sizes="100vw" alt="">`, refused),
      snippet("<picture>", url && this.html(url, srcset), refused),
      snippet("curl", url && `curl -o '${file.replaceAll("'", "")}' '${url}'`, refused),
      snippet("Python", url && `import urllib.request\n\nurllib.request.urlretrieve(\n    "${url}",\n    "${file.replaceAll('"', "")}",\n)`, refused),
      snippet("Preset for config.yaml", `presets:\n  my-preset: "${recipe}"`),
    );
  }

  /** Names of the picture in several widths, in its own format and in those of <picture>. @param {number[]} widths */
  responsive(widths) {
    const formats = SOURCES.filter((word) => word in this.gateway.formats);
    const at = (format) =>
      widths.map((width) => {
        const values = new Map(this.recipe.values);
        const [w, h] = [Number(values.get("w")), Number(values.get("h"))];
        values.set("w", String(width));
        values.delete("dpr");
        if (h) values.set("h", String(Math.max(1, Math.round(w ? (h * width) / w : (width * this.size.height) / this.size.width))));
        return printName(this.image, values, format);
      });
    return Object.fromEntries([["own", at(this.recipe.format)], ...formats.map((word) => [word, at(word)])]);
  }

  html(url, srcset) {
    const sources = SOURCES.filter((word) => word in this.gateway.formats).map((word) => `  <source type="image/${word}" sizes="100vw" srcset="${srcset(word)}">`);
    return `<picture>\n${sources.join("\n")}\n  <img src="${url}" alt="">\n</picture>`;
  }

  async sign() {
    const [found] = await (await post("/names", { names: [this.name], sign: true, lifetime: this.lifetime.value })).json();
    if (found.problem) throw new Error(found.problem.detail);
    return found.url;
  }

  async temporary() {
    return (await json(`/images/${escape(this.name)}?url=true&inline=true&lifetime=${this.lifetime.value}`)).url;
  }

  made(title, word, why, make) {
    const trouble = this.gateway.may("url") ? why : "Your token lacks the scope url.";
    if (trouble) return snippet(title, "", trouble);
    const place = el("div", { class: "copy" }, el("h2", { text: title }));
    const work = async () => {
      try {
        place.replaceWith(snippet(title, await make()));
      } catch (error) {
        place.querySelector("p")?.remove();
        place.append(el("p", { class: "trouble", role: "alert", text: /** @type {Error} */ (error).message }));
      }
    };
    place.append(el("button", { type: "button", class: "small", text: word, "aria-label": `${word} a ${title}`, on: { click: work } }));
    return place;
  }
}

/** @param {string} title @param {string} text @param {string} [why] there is none */
function snippet(title, text, why = "") {
  if (!text) return el("div", { class: "copy" }, el("h2", { text: title }), el("p", { class: "soft", text: why }));
  const button = el("button", { type: "button", class: "small", text: "Copy", "aria-label": `Copy ${title}`, on: { click: () => copy(text) } });
  return el("div", { class: "copy", "data-copy": title }, el("h2", { text: title }), button, el("pre", { tabindex: "0", text, role: "region", "aria-label": title }));
}
