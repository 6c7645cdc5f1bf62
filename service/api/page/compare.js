// The original and the result in one frame, with a divider between them.

import { el } from "./dom.js";

const STEP = 2; // percent that an arrow key moves the divider

export class Compare {
  constructor() {
    this.before = el("img", { class: "before", alt: "the original", draggable: "false" });
    this.after = el("img", { class: "after", alt: "the result", draggable: "false" });
    this.handle = el("div", {
      class: "divider",
      role: "slider",
      tabindex: "0",
      "aria-label": "Divider between the original and the result",
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      on: { keydown: (event) => this.key(event) },
    });
    this.element = el(
      "div",
      { class: "compare", on: { pointerdown: (event) => this.drag(event) } },
      this.before,
      this.after,
      this.handle,
      el("span", { class: "tag start", text: "original" }),
      el("span", { class: "tag end", text: "result" }),
    );
    this.move(50);
  }

  /** @param {number} percent */
  move(percent) {
    this.split = Math.min(100, Math.max(0, percent));
    this.element.style.setProperty("--split", `${this.split}%`);
    this.handle.setAttribute("aria-valuenow", String(Math.round(this.split)));
    this.handle.setAttribute("aria-valuetext", `${Math.round(this.split)} % original`);
  }

  /** @param {PointerEvent} event */
  drag(event) {
    if (event.button) return;
    const box = this.element.getBoundingClientRect();
    const follow = (/** @type {PointerEvent} */ now) => this.move(((now.clientX - box.left) / box.width) * 100);
    follow(event);
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", follow);
    this.element.addEventListener("lostpointercapture", () => this.element.removeEventListener("pointermove", follow), { once: true });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const steps = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -10, PageUp: 10, Home: -100, End: 100 };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (step === undefined) return;
    event.preventDefault();
    this.move((this.split ?? 50) + step);
  }
}
