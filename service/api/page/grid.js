// A grid of any number of cells, of which only those in sight are in the document.
//
// Browsers cannot scroll beyond some ten million pixels. Where the rows need more, the way of the scroll bar is spread
// over them, and the rows near the eye are placed where it looks.

import { el } from "./dom.js";

const LONGEST = 8_000_000; // pixels of the scrolled element
const GAP = 16;
const CAPTION = 50;
const NARROWEST = 164;
const AHEAD = 2; // rows above and below what is in sight

export class Grid {
  /**
   * @param {HTMLElement} scroller
   * @param {{count: () => number, cell: (index: number, signal: AbortSignal) => HTMLElement, near: () => void, label: string}} source
   */
  constructor(scroller, source) {
    this.scroller = scroller;
    this.source = source;
    /** @type {Map<number, {element: HTMLElement, left: AbortController}>} */
    this.rows = new Map();
    this.focused = 0;
    this.columns = 1;
    this.body = el("div", { class: "grid", role: "grid", "aria-label": source.label, "aria-multiselectable": "true" });
    scroller.append(this.body);
    this.resized = new ResizeObserver(() => this.layout());
    this.resized.observe(scroller);
    this.onScroll = () => requestAnimationFrame(() => this.draw());
    scroller.addEventListener("scroll", this.onScroll, { passive: true });
    this.body.addEventListener("keydown", (event) => this.move(event));
    this.body.addEventListener("focusin", (event) => this.remember(/** @type {HTMLElement} */ (event.target)));
  }

  close() {
    this.resized.disconnect();
    this.scroller.removeEventListener("scroll", this.onScroll);
    this.clear();
    this.body.remove();
  }

  clear() {
    for (const row of this.rows.values()) {
      row.left.abort();
      row.element.remove();
    }
    this.rows.clear();
  }

  /** Measure again, and draw everything anew. */
  layout() {
    const style = getComputedStyle(this.scroller);
    const width = this.scroller.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const gap = width < 480 ? 10 : GAP;
    const wanted = width < 480 ? 140 : NARROWEST + Math.min(96, width / 24);
    this.columns = Math.max(1, Math.floor((width + gap) / (wanted + gap)));
    const cell = (width - gap * (this.columns - 1)) / this.columns;
    this.height = Math.round(cell + CAPTION + gap);
    this.body.style.setProperty("--columns", String(this.columns));
    this.body.style.setProperty("--gap", `${gap}px`);
    this.body.style.setProperty("--picture", `${cell}px`);
    this.clear();
    this.grow();
  }

  /** There are more cells, or fewer. */
  grow() {
    if (!this.height) return;
    this.total = Math.ceil(this.source.count() / this.columns);
    this.body.style.height = `${Math.min(this.total * this.height, LONGEST)}px`;
    this.body.setAttribute("aria-rowcount", String(this.total));
    this.draw();
  }

  /** Pixels of all rows for each pixel of the way of the scroll bar; 1 unless there are too many rows. */
  get stretch() {
    const seen = this.scroller.clientHeight;
    const real = (this.total ?? 0) * (this.height ?? 0);
    return real <= LONGEST ? 1 : (real - seen) / (LONGEST - seen);
  }

  draw() {
    if (!this.height || !this.body.isConnected) return;
    const top = Math.max(0, this.scroller.scrollTop - this.body.offsetTop);
    const real = top * this.stretch;
    const first = Math.max(0, Math.floor(real / this.height) - AHEAD);
    const last = Math.min((this.total ?? 0) - 1, Math.ceil((real + this.scroller.clientHeight) / this.height) + AHEAD);
    for (const [number, row] of this.rows) {
      if (number >= first && number <= last) continue;
      row.element.style.transform = `translateY(${top + number * this.height - real}px)`;
      if (row.element.contains(document.activeElement)) continue; // keys go on from there
      row.left.abort();
      row.element.remove();
      this.rows.delete(number);
    }
    for (let number = first; number <= last; number += 1) {
      const row = this.rows.get(number) ?? this.make(number);
      row.element.style.transform = `translateY(${top + number * this.height - real}px)`;
    }
    if (last >= (this.total ?? 0) - 3) this.source.near();
  }

  /** @param {number} number */
  make(number) {
    const left = new AbortController();
    const element = el("div", { class: "row", role: "row", "aria-rowindex": number + 1 });
    const end = Math.min((number + 1) * this.columns, this.source.count());
    for (let index = number * this.columns; index < end; index += 1) {
      const cell = this.source.cell(index, left.signal);
      cell.dataset.index = String(index);
      cell.tabIndex = index === this.focused ? 0 : -1;
      element.append(cell);
    }
    const after = [...this.rows.keys()].filter((other) => other > number).sort((a, b) => a - b)[0];
    this.body.insertBefore(element, after === undefined ? null : (this.rows.get(after)?.element ?? null));
    const row = { element, left };
    this.rows.set(number, row);
    return row;
  }

  /** Draw one cell again. @param {number} index */
  redraw(index) {
    const number = Math.floor(index / this.columns);
    const row = this.rows.get(number);
    if (!row) return;
    const focused = row.element.contains(document.activeElement);
    row.left.abort();
    row.element.remove();
    this.rows.delete(number);
    this.draw();
    if (focused) this.focus(this.focused);
  }

  /** The cells after the last one of a short row come into being. @param {number} before */
  added(before) {
    const number = Math.floor(before / this.columns);
    if (before % this.columns && this.rows.has(number)) {
      this.rows.get(number)?.left.abort();
      this.rows.get(number)?.element.remove();
      this.rows.delete(number);
    }
    this.grow();
  }

  /** @param {HTMLElement} target */
  remember(target) {
    const cell = /** @type {HTMLElement | null} */ (target.closest("[data-index]"));
    if (!cell) return;
    this.cellAt(this.focused)?.setAttribute("tabindex", "-1");
    this.focused = Number(cell.dataset.index);
    cell.tabIndex = 0;
  }

  /** @param {number} index @returns {HTMLElement | null} */
  cellAt(index) {
    return this.body.querySelector(`[data-index="${index}"]`);
  }

  /** @param {KeyboardEvent} event */
  move(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / (this.height ?? 1))) * this.columns;
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -this.columns,
      ArrowDown: this.columns,
      PageUp: -page,
      PageDown: page,
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (step === undefined || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.focus(Math.min(this.source.count() - 1, Math.max(0, this.focused + step)));
  }

  /** @param {number} index */
  focus(index) {
    this.cellAt(this.focused)?.setAttribute("tabindex", "-1");
    this.focused = index;
    const height = this.height ?? 1;
    const real = Math.floor(index / this.columns) * height;
    const seen = this.scroller.clientHeight;
    const top = Math.max(0, this.scroller.scrollTop - this.body.offsetTop) * this.stretch;
    const wanted = real < top ? real : real + height > top + seen ? real + height - seen : top;
    if (wanted !== top) this.scroller.scrollTop = wanted / this.stretch + this.body.offsetTop;
    this.draw();
    const cell = this.cellAt(index);
    cell?.setAttribute("tabindex", "0");
    cell?.focus({ preventScroll: true });
  }
}
