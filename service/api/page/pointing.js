// Point into the original: draw the region of crop, or set the point of g. With arrow keys, too.

import { el } from "./dom.js";

/** @typedef {{x: number, y: number, w: number, h: number}} Box in pixels of the upright original */

export class Pointing {
  /**
   * @param {{width: number, height: number}} size of the upright original
   * @param {string} address of a picture of it
   * @param {(value: string) => void} changed
   */
  constructor(size, address, changed) {
    this.size = size;
    this.changed = changed;
    this.shape = el("div", { class: "shape", tabindex: "0", role: "group", on: { keydown: (event) => this.key(event) } });
    this.frame = el(
      "div",
      { class: "frame", on: { pointerdown: (event) => this.draw(event) } },
      el("img", { src: address, alt: "the original", draggable: "false" }),
      this.shape,
    );
    this.frame.style.setProperty("--ratio", String(size.width / size.height));
    this.element = el("div", { class: "pointing" }, this.frame);
    /** @type {"crop" | "focus"} */
    this.mode = "crop";
    /** @type {Box} */
    this.box = { x: 0, y: 0, w: size.width, h: size.height };
  }

  /** @param {"crop" | "focus"} mode @param {string} value of the recipe */
  open(mode, value) {
    this.mode = mode;
    this.frame.className = `frame ${mode}`;
    const { width, height } = this.size;
    if (mode === "crop") this.box = readRegion(value, this.size) ?? { x: 0, y: 0, w: width, h: height };
    else {
      const [x, y] = /^[\d.]+:[\d.]+$/.test(value) ? value.split(":").map(Number) : [0.5, 0.5];
      this.box = { x: x * width, y: y * height, w: 0, h: 0 };
    }
    this.show();
  }

  show() {
    const { x, y, w, h } = this.box;
    const { width, height } = this.size;
    const style = { "--x": x / width, "--y": y / height, "--w": w / width, "--h": h / height };
    for (const [name, value] of Object.entries(style)) this.frame.style.setProperty(name, String(value));
    const text = this.mode === "crop" ? `Region: ${this.value()}. Arrow keys move it, with Shift they size it` : `Focal point: ${this.value()}. Arrow keys move it`;
    this.shape.setAttribute("aria-label", text);
  }

  value() {
    const { x, y, w, h } = this.box;
    if (this.mode === "crop") return [x, y, w, h].map(Math.round).join(":");
    return [x / this.size.width, y / this.size.height].map((part) => String(Math.round(part * 1000) / 1000)).join(":");
  }

  /** @param {PointerEvent} event */
  draw(event) {
    if (event.button) return;
    event.preventDefault();
    const start = this.at(event);
    const held = { ...this.box };
    const whole = held.w >= this.size.width && held.h >= this.size.height;
    const inside = !whole && start.x > held.x && start.x < held.x + held.w && start.y > held.y && start.y < held.y + held.h;
    const follow = (/** @type {PointerEvent} */ now) => {
      const point = this.at(now);
      if (this.mode === "focus") this.become({ ...point, w: 0, h: 0 });
      else if (inside) this.become({ ...held, x: held.x + point.x - start.x, y: held.y + point.y - start.y });
      else this.become({ x: Math.min(start.x, point.x), y: Math.min(start.y, point.y), w: Math.abs(point.x - start.x), h: Math.abs(point.y - start.y) });
    };
    if (this.mode === "focus") follow(event);
    this.frame.setPointerCapture(event.pointerId);
    this.frame.addEventListener("pointermove", follow);
    const end = () => {
      this.frame.removeEventListener("pointermove", follow);
      this.changed(this.value());
    };
    this.frame.addEventListener("lostpointercapture", end, { once: true });
    this.shape.focus({ preventScroll: true });
  }

  /** @param {PointerEvent} event */
  at(event) {
    const box = this.frame.getBoundingClientRect();
    const within = (part) => Math.min(1, Math.max(0, part));
    return {
      x: within((event.clientX - box.left) / box.width) * this.size.width,
      y: within((event.clientY - box.top) / box.height) * this.size.height,
    };
  }

  /** @param {Box} box */
  become(box) {
    const { width, height } = this.size;
    const least = this.mode === "crop" ? 1 : 0;
    const w = Math.min(width, Math.max(least, box.w));
    const h = Math.min(height, Math.max(least, box.h));
    this.box = { w, h, x: Math.min(width - w, Math.max(0, box.x)), y: Math.min(height - h, Math.max(0, box.y)) };
    this.show();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[/** @type {keyof typeof moves} */ (event.key)];
    if (!move) return;
    event.preventDefault();
    const step = Math.max(1, Math.round(Math.min(this.size.width, this.size.height) / 100));
    const [right, down] = move.map((part) => part * step);
    const { x, y, w, h } = this.box;
    this.become(event.shiftKey && this.mode === "crop" ? { x, y, w: w + right, h: h + down } : { x: x + right, y: y + down, w, h });
    this.changed(this.value());
  }
}

/** A region in pixels; percent as 10p. @param {string} value @param {{width: number, height: number}} size @returns {Box | null} */
function readRegion(value, { width, height }) {
  const parts = value.split(":");
  if (parts.length !== 4) return null;
  const [x, y, w, h] = parts.map((part, index) => (part.endsWith("p") ? (parseFloat(part) / 100) * (index % 2 ? height : width) : Number(part)));
  return [x, y, w, h].every(Number.isFinite) ? { x, y, w: Math.min(w, width - x), h: Math.min(h, height - y) } : null;
}
