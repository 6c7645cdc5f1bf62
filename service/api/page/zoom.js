// Zoom to the pixels of a picture: tiles of what is in sight, at the level that the screen can show.

import { picture } from "./api.js";
import { el } from "./dom.js";

const CLOSEST = 16; // screen pixels for each pixel of the picture
const HELD = 240; // tiles

export class Zoom {
  /** @param {import("./tiles.js").TileSource} source @param {string} address of a picture of the whole */
  constructor(source, address) {
    this.source = source;
    this.left = new AbortController();
    /** @type {Map<string, {element: HTMLImageElement, level: number, column: number, row: number}>} */
    this.tiles = new Map();
    this.base = el("img", { src: address, class: "base", alt: "the original, zoomed", draggable: "false" });
    this.note = el("output", { class: "tag end" });
    this.element = el("div", {
      class: "zoom",
      tabindex: "0",
      role: "application",
      "aria-label": "The original. Arrow keys move it, + and - zoom, 0 fits it in",
      on: {
        wheel: (event) => this.wheel(event),
        pointerdown: (event) => this.pan(event),
        keydown: (event) => this.key(event),
        dblclick: (event) => this.by(event.shiftKey ? 0.5 : 2, event),
      },
    });
    const button = (text, label, work) => el("button", { type: "button", text, "aria-label": label, on: { click: work } });
    this.element.append(
      this.base,
      this.note,
      el("div", { class: "buttons" }, button("+", "Zoom in", () => this.by(2)), button("−", "Zoom out", () => this.by(0.5)), button("Fit", "Fit in", () => this.fit()), button("1:1", "Every pixel", () => this.to(1 / devicePixelRatio))),
    );
    this.resized = new ResizeObserver(() => (this.scale ? this.draw() : this.fit()));
    this.resized.observe(this.element);
  }

  close() {
    this.left.abort();
    this.resized.disconnect();
    for (const { element } of this.tiles.values()) URL.revokeObjectURL(element.src);
  }

  get fitting() {
    const { width, height } = this.source.size;
    return Math.min(this.element.clientWidth / width, this.element.clientHeight / height);
  }

  fit() {
    this.x = this.source.size.width / 2;
    this.y = this.source.size.height / 2;
    this.to(this.fitting);
  }

  /** @param {number} scale screen pixels for each pixel @param {{x: number, y: number}} [still] what stays where it is */
  to(scale, still = { x: this.x ?? 0, y: this.y ?? 0 }) {
    const wanted = Math.min(CLOSEST, Math.max(Math.min(this.fitting, 1 / devicePixelRatio), scale));
    const ratio = (this.scale ?? wanted) / wanted;
    this.x = still.x + ((this.x ?? 0) - still.x) * ratio;
    this.y = still.y + ((this.y ?? 0) - still.y) * ratio;
    this.scale = wanted;
    this.draw();
  }

  /** @param {number} factor @param {MouseEvent} [event] */
  by(factor, event) {
    this.to((this.scale ?? 1) * factor, event && this.at(event));
  }

  /** The pixel under the pointer. @param {MouseEvent} event */
  at(event) {
    const box = this.element.getBoundingClientRect();
    const scale = this.scale ?? 1;
    return {
      x: (this.x ?? 0) + (event.clientX - box.left - box.width / 2) / scale,
      y: (this.y ?? 0) + (event.clientY - box.top - box.height / 2) / scale,
    };
  }

  wheel(event) {
    event.preventDefault();
    this.by(2 ** (-event.deltaY / 240), event);
  }

  pan(event) {
    if (event.button || event.target.closest("button")) return;
    let last = event;
    const follow = (now) => {
      this.move(last.clientX - now.clientX, last.clientY - now.clientY);
      last = now;
    };
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", follow);
    this.element.addEventListener("lostpointercapture", () => this.element.removeEventListener("pointermove", follow), { once: true });
  }

  key(event) {
    const moves = { ArrowLeft: [-64, 0], ArrowRight: [64, 0], ArrowUp: [0, -64], ArrowDown: [0, 64] };
    const move = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (move) this.move(move[0], move[1]);
    else if (event.key === "+" || event.key === "=") this.by(2);
    else if (event.key === "-") this.by(0.5);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
  }

  /** @param {number} right screen pixels @param {number} down */
  move(right, down) {
    this.x = (this.x ?? 0) + right / (this.scale ?? 1);
    this.y = (this.y ?? 0) + down / (this.scale ?? 1);
    this.draw();
  }

  draw() {
    const { width, height } = this.source.size;
    const scale = this.scale ?? 1;
    this.x = Math.min(width, Math.max(0, this.x ?? 0));
    this.y = Math.min(height, Math.max(0, this.y ?? 0));
    const [left, top] = [this.element.clientWidth / 2 - this.x * scale, this.element.clientHeight / 2 - this.y * scale];
    place(this.base, left, top, width * scale, height * scale);
    const sharp = scale * devicePixelRatio;
    this.note.textContent = `${sharp >= 1 ? `${Math.round(sharp * 100)} %` : `${(sharp * 100).toFixed(sharp < 0.1 ? 1 : 0)} %`}`;
    this.element.classList.toggle("pixels", sharp > 2);
    const level = Math.min(this.source.levels - 1, Math.max(0, Math.floor(Math.log2(1 / sharp) + 0.01)));
    this.want(level, { left, top, scale });
    for (const tile of this.tiles.values()) {
      const side = this.source.tile * 2 ** tile.level;
      const [x, y] = [tile.column * side, tile.row * side];
      tile.element.hidden = tile.level !== level;
      place(tile.element, left + x * scale, top + y * scale, Math.min(side, width - x) * scale, Math.min(side, height - y) * scale);
    }
  }

  /** Ask for the tiles in sight that are not here. */
  want(level, { left, top, scale }) {
    if (level === this.source.levels - 1 && level > 0) return; // the picture of the whole shows as much
    const side = this.source.tile * 2 ** level * scale;
    const { width, height } = this.source.size;
    const most = { column: Math.ceil((width * scale) / side) - 1, row: Math.ceil((height * scale) / side) - 1 };
    const from = { column: Math.max(0, Math.floor(-left / side)), row: Math.max(0, Math.floor(-top / side)) };
    const to = {
      column: Math.min(most.column, Math.floor((this.element.clientWidth - left) / side)),
      row: Math.min(most.row, Math.floor((this.element.clientHeight - top) / side)),
    };
    for (let row = from.row; row <= to.row; row += 1) for (let column = from.column; column <= to.column; column += 1) this.load(level, column, row);
  }

  async load(level, column, row) {
    const key = `${level}/${column}/${row}`;
    if (this.tiles.has(key)) return;
    const element = el("img", { class: "tile", alt: "", draggable: "false" });
    this.tiles.set(key, { element, level, column, row });
    this.drop();
    this.note.before(element);
    try {
      const { blob } = await picture(this.source.path(level, column, row), { signal: this.left.signal });
      element.src = URL.createObjectURL(blob);
      element.classList.add("here");
    } catch {
      this.tiles.delete(key);
      element.remove();
    }
  }

  drop() {
    for (const [key, { element }] of this.tiles) {
      if (this.tiles.size <= HELD) return;
      URL.revokeObjectURL(element.src);
      element.remove();
      this.tiles.delete(key);
    }
  }
}

function place(element, x, y, width, height) {
  element.style.transform = `translate(${x}px, ${y}px)`;
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
}
