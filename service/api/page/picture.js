// One picture: the result beside the original, the recipe that leads to it, and what it costs.

import { json, picture as fetchPicture, post, Problem } from "./api.js";
import { empty } from "./browse.js";
import { Compare } from "./compare.js";
import { Controls } from "./controls.js";
import { Copies } from "./copies.js";
import { copy, debounced, el } from "./dom.js";
import { FormatsTable } from "./formats.js";
import { aboutOf } from "./metadata.js";
import { escape, folderOf, leafOf, printName, readName, routeOf, stay } from "./names.js";
import { Pointing } from "./pointing.js";
import { Recipe } from "./recipe.js";
import { tabs } from "./tabs.js";
import { tilesOf } from "./tiles.js";
import { Tries } from "./tries.js";
import { duration, size } from "./words.js";
import { Zoom } from "./zoom.js";

const REST = 140; // milliseconds after the last change before the gateway is asked
const USUAL = [960, 480]; // pixels of the width that a picture is opened with: the first that makes it smaller
const SHOWN = "w=1600"; // the original, as it is shown beside the result

/** @param {HTMLElement} main @param {string} name an image, or a derived name @param {import("./app.js").Gateway} gateway */
export function picture(main, name, gateway) {
  const left = new AbortController();
  /** @type {(() => void)[]} */
  const ends = [() => left.abort()];
  const named = readName(name);
  const image = named?.image ?? name;
  const back = el("a", { class: "back", href: routeOf("browse", folderOf(image)), text: folderOf(image) || "All pictures" });
  main.append(el("header", { class: "title" }, back, el("h1", { text: leafOf(image) })), el("p", { class: "waits", text: "…" }));
  open().catch((error) => {
    if (left.signal.aborted) return;
    main.querySelector(".waits")?.replaceWith(empty("This picture cannot be shown", /** @type {Error} */ (error).message));
  });
  return () => ends.forEach((end) => end());

  async function open() {
    const options = { signal: left.signal };
    const path = `/images/${escape(image)}`;
    const [known, whole] = await Promise.all([json(`${path}/@meta.json`, options), fetchPicture(`${path}/@${SHOWN}.auto`, options)]);
    const about = { ...(known.width ? null : await sizeOf(whole.blob)), ...known };
    const original = URL.createObjectURL(whole.blob);
    const recipe = new Recipe({ values: named?.recipe ?? usual(about), format: named?.format || "auto" });
    const bench = new Bench(image, gateway, recipe, about, original);
    ends.push(() => bench.close(), () => URL.revokeObjectURL(original));
    main.querySelector(".waits")?.replaceWith(bench.element);
    bench.make();
  }
}

/** Where `metadata.fields` leaves the size out, that of the picture as it is shown. @param {Blob} blob */
async function sizeOf(blob) {
  const { width, height } = await createImageBitmap(blob);
  return { width, height };
}

/** What one works with: the stage, what it says, and the panels. */
class Bench {
  constructor(image, gateway, recipe, about, original) {
    this.image = image;
    this.gateway = gateway;
    this.recipe = recipe;
    this.about = about;
    this.left = new AbortController();
    this.address = "";
    this.compare = new Compare();
    this.compare.before.src = original;
    this.pointing = new Pointing(about, original, (value) => recipe.set(this.pointing.mode === "crop" ? "crop" : "g", value));
    this.original = original;
    this.tries = new Tries(recipe);
    this.controls = new Controls(gateway, recipe, (mode) => this.show(mode));
    this.formats = new FormatsTable(image, gateway, recipe);
    this.copies = new Copies(image, gateway, recipe, about);
    this.stage = el("div", { class: "stage" });
    this.stage.style.setProperty("--ratio", String(about.width / about.height));
    this.facts = el("p", { class: "facts", role: "status" });
    this.canonical = el("code", { class: "canonical" });
    this.url = el("code", { class: "url" });
    this.undo = el("button", { type: "button", text: "Undo", on: { click: () => recipe.undo() } });
    this.redo = el("button", { type: "button", text: "Redo", on: { click: () => recipe.redo() } });
    this.modes = el("div", { class: "modes", role: "group", "aria-label": "What is shown" });
    this.element = this.layout(about);
    this.show("compare");
    recipe.addEventListener("change", debounced(REST, () => this.make()));
    recipe.addEventListener("change", () => this.changed());
    this.keys = (event) => this.key(event);
    document.addEventListener("keydown", this.keys);
    this.changed();
  }

  close() {
    this.left.abort();
    this.formats.close();
    this.zoom?.close();
    document.removeEventListener("keydown", this.keys);
    URL.revokeObjectURL(this.address);
  }

  layout(about) {
    const copying = (label, source) => el("button", { type: "button", class: "small", text: "Copy", "aria-label": label, on: { click: () => copy(source.textContent) } });
    const names = el(
      "dl",
      { class: "says" },
      el("dt", { text: "Name" }),
      el("dd", {}, this.canonical, copying("Copy the name", this.canonical)),
      el("dt", { text: "URL" }),
      el("dd", {}, this.url, copying("Copy the URL", this.url)),
    );
    this.panel = tabs("Picture", {
      Adjust: { element: this.controls.element, open: () => (this.copying = false) },
      Formats: { element: this.formats.element, open: () => (this.copying = false) },
      Copy: { element: this.copies.element, open: () => ((this.copying = true), this.copies.refresh()) },
      About: { element: aboutOf(this.image, about), open: () => (this.copying = false) },
    });
    const steps = el("div", { class: "steps", role: "group", "aria-label": "Steps" }, this.undo, this.redo);
    return el(
      "div",
      { class: "bench" },
      el("div", { class: "left" }, el("div", { class: "over" }, this.modes, steps), this.stage, this.facts, names, this.tries.element),
      this.panel,
    );
  }

  /** @param {string} mode compare, zoom, crop or focus */
  async show(mode) {
    this.mode = mode;
    const titles = { compare: "Compare", zoom: "Zoom", crop: "Crop", focus: "Focal point" };
    this.modes.replaceChildren(
      ...Object.entries(titles).map(([key, text]) => el("button", { type: "button", text, "aria-pressed": String(key === mode), on: { click: () => this.show(key) } })),
    );
    if (mode === "zoom" && !this.zoom) {
      const source = await tilesOf(this.image, this.about, this.gateway.iiif);
      this.zoom ??= new Zoom(source, this.original);
      if (this.mode !== mode) return;
    }
    const shown = { compare: this.compare, zoom: this.zoom, crop: this.pointing, focus: this.pointing }[mode];
    this.stage.replaceChildren(/** @type {any} */ (shown).element);
    if (mode === "crop" || mode === "focus") this.point();
  }

  point() {
    const mode = this.mode === "crop" ? "crop" : "focus";
    this.pointing.open(mode, this.recipe.values.get(mode === "crop" ? "crop" : "g") ?? "");
  }

  get name() {
    return printName(this.image, this.recipe.values, this.recipe.format);
  }

  changed() {
    stay("picture", this.name);
    this.undo.disabled = !this.recipe.past.length;
    this.redo.disabled = !this.recipe.future.length;
    if (this.mode === "crop" || this.mode === "focus") this.point();
  }

  /** Ask the gateway what the recipe means, and for the picture. */
  async make() {
    this.left.abort();
    const { signal } = (this.left = new AbortController());
    this.stage.classList.add("busy");
    try {
      const [found] = await (await post("/names", { names: [this.name] }, signal)).json();
      this.controls.judge(found);
      if (found.problem) throw new Problem(found.problem.status, found.problem.detail);
      this.canonical.textContent = found.canonical;
      this.url.textContent = found.url ?? "none: the public port takes signed URLs or presets only";
      const got = await fetchPicture(`/images/${escape(found.canonical)}`, { signal, cache: "no-store" });
      await this.reveal(found.canonical, got);
      if (this.copying) this.copies.refresh();
    } catch (error) {
      if (signal.aborted) return;
      this.facts.replaceChildren(el("span", { class: "trouble", text: /** @type {Error} */ (error).message }));
    }
    this.stage.classList.remove("busy");
  }

  async reveal(canonical, got) {
    const address = URL.createObjectURL(got.blob);
    const { after } = this.compare;
    after.src = address;
    const seen = await after.decode().then(() => true, () => false);
    URL.revokeObjectURL(this.address);
    this.address = address;
    this.tries.add(canonical, got);
    const parts = [
      seen ? `${after.naturalWidth} × ${after.naturalHeight}` : "this browser cannot show it",
      got.type.replace("image/", "").toUpperCase(),
      `${size(got.bytes)}${share(got.bytes, this.about.bytes)}`,
      duration(got.seconds),
      got.cache,
    ];
    this.facts.replaceChildren(...parts.map((text, index) => el("span", { text, class: index === 4 ? `cache ${text.split("-")[0].toLowerCase()}` : null })));
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.matches("input[type=text], input[type=search]")) return;
    event.preventDefault();
    if (event.shiftKey) this.recipe.redo();
    else this.recipe.undo();
  }
}

/** @param {{width: number}} about */
function usual({ width }) {
  const smaller = USUAL.find((pixels) => pixels < width);
  return new Map(smaller ? [["w", String(smaller)]] : []);
}

function share(bytes, of) {
  if (!of) return "";
  const part = Math.round((bytes / of) * 100);
  return part < 100 ? ` (${part || "<1"} % of the original)` : "";
}
