// Shows uploads: a bar for each and one for all, with speed and time left. What was refused says why in its place.

import { el } from "./dom.js";
import { routeOf } from "./names.js";
import { duration, plural, size } from "./words.js";

const MOST_SHOWN = 200; // rows; of the rest there is the number
const WINDOW = 8; // seconds over which the speed is measured
const WORDS = { waiting: "waiting", sending: "sending", stored: "stored", present: "already there" };
const PLACE = { sending: 0, refused: 1, waiting: 2, stored: 3, present: 4 };

export class Tray {
  /**
   * @param {import("./uploads.js").Upload[]} uploads
   * @param {{again: (upload: any, replace: boolean) => void, stop: () => void, clear: () => void}} work
   */
  constructor(uploads, work) {
    this.uploads = uploads;
    this.work = work;
    this.element = /** @type {HTMLElement} */ (document.getElementById("tray"));
    /** @type {{at: number, bytes: number}[]} */
    this.samples = [];
    this.drawn = 0;
    this.stale = false;
    /** @type {Map<any, {bar: any, text: any}>} */
    this.rows = new Map();
  }

  /** An upload came, began or ended: draw the rows anew, with the next frame. */
  show() {
    this.stale = true;
    this.moved();
  }

  /** Bytes went out: bring the bars up to date, with the next frame. */
  moved() {
    this.drawn ||= requestAnimationFrame(() => {
      this.drawn = 0;
      if (this.stale) this.draw();
      for (const [upload, { bar, text }] of this.rows) {
        bar.value = upload.sent;
        if (upload.state === "sending") text.textContent = upload.sent < upload.file.size ? `${size(upload.sent)} of ${size(upload.file.size)}` : "being checked…";
      }
      this.sum();
    });
  }

  draw() {
    const { uploads } = this;
    this.stale = false;
    this.element.hidden = !uploads.length;
    this.rows.clear();
    const sorted = [...uploads].sort((one, other) => PLACE[one.state] - PLACE[other.state]);
    const list = el("ul", { class: "uploads" }, ...sorted.slice(0, MOST_SHOWN).map((upload) => this.row(upload)));
    if (sorted.length > MOST_SHOWN) list.append(el("li", { class: "soft", text: `and ${sorted.length - MOST_SHOWN} more` }));
    const busy = uploads.some((upload) => upload.state === "waiting" || upload.state === "sending");
    this.all = el("progress", { "aria-label": "All uploads" });
    this.text = el("p", { class: "soft" });
    const end = busy
      ? el("button", { type: "button", class: "quiet", text: "Stop", on: { click: this.work.stop } })
      : el("button", { type: "button", class: "quiet", text: "Close", on: { click: this.work.clear } });
    this.element.replaceChildren(el("div", { class: "head" }, el("h2", { text: "Uploads" }), end), this.all, this.text, list);
  }

  /** @param {import("./uploads.js").Upload} upload */
  row(upload) {
    const bar = el("progress", { max: Math.max(1, upload.file.size), value: upload.sent, "aria-label": upload.name });
    const done = upload.state === "stored" || upload.state === "present";
    const name = done ? el("a", { href: routeOf("picture", upload.name), text: upload.name }) : el("span", { text: upload.name });
    const text = el("span", { class: "soft", text: upload.state === "refused" ? upload.why : WORDS[upload.state] });
    if (upload.state === "sending") this.rows.set(upload, { bar, text });
    const again = (word, replace) => el("button", { type: "button", class: "small", text: word, on: { click: () => this.work.again(upload, replace) } });
    const offers = upload.state !== "refused" ? [] : upload.code === "name-exists" ? [again("Replace it", true)] : [again("Try again", upload.replace)];
    return el("li", { class: upload.state }, el("span", { class: "what" }, name, text), ...offers, done || upload.state === "refused" ? null : bar);
  }

  sum() {
    const { uploads } = this;
    const total = uploads.reduce((sum, upload) => sum + upload.file.size, 0);
    const over = (/** @type {any} */ upload) => upload.state !== "waiting" && upload.state !== "sending";
    const settled = uploads.filter(over);
    const bytes = uploads.reduce((sum, upload) => sum + (over(upload) ? upload.file.size : upload.sent), 0);
    const sent = uploads.reduce((sum, upload) => sum + (upload.state === "present" ? 0 : upload.sent), 0);
    this.all.max = Math.max(1, total);
    this.all.value = bytes;
    const refused = uploads.filter((upload) => upload.state === "refused").length;
    const head = `${plural(settled.length - refused, "picture")} of ${uploads.length} in${refused ? `, ${refused} refused` : ""}`;
    this.text.textContent = settled.length === uploads.length ? head : `${head} · ${this.pace(sent, total - bytes)}`;
  }

  /** Speed and time left, over the last seconds. @param {number} sent @param {number} rest */
  pace(sent, rest) {
    const now = performance.now() / 1000;
    this.samples.push({ at: now, bytes: sent });
    this.samples = this.samples.filter((sample) => now - sample.at < WINDOW && sample.bytes <= sent);
    const first = this.samples[0];
    const speed = now > first.at ? (sent - first.bytes) / (now - first.at) : 0;
    const left = Math.max(1, Math.ceil(rest / speed));
    return speed > 0 ? `${size(speed)}/s · ${left < 90 ? `${left} s` : duration(left)} left` : "…";
  }
}
