// The recipe that is being tried, with the steps that led to it.

const ONE_STEP = 700; // milliseconds within which changes of one operation are one step

/** @typedef {{values: Map<string, string>, format: string}} State */

export class Recipe extends EventTarget {
  /** @param {State} state */
  constructor(state) {
    super();
    this.state = state;
    /** @type {State[]} */
    this.past = [];
    /** @type {State[]} */
    this.future = [];
    this.last = { key: "", at: 0 };
  }

  get values() {
    return this.state.values;
  }

  get format() {
    return this.state.format;
  }

  /** Set an operation, or with null leave it out. @param {string} key @param {string | null} value */
  set(key, value) {
    const values = new Map(this.values);
    if (value === null || value === "") values.delete(key);
    else values.set(key, value);
    this.become({ values, format: this.format }, key);
  }

  /** @param {string} format */
  setFormat(format) {
    this.become({ values: this.values, format }, "format");
  }

  /** @param {State} state @param {string} [key] the operation that changed, if one did */
  become(state, key = "") {
    if (print(state) === print(this.state)) return;
    const now = Date.now();
    if (!key || key !== this.last.key || now - this.last.at > ONE_STEP) this.past.push(this.state);
    this.last = { key, at: now };
    this.future = [];
    this.settle(state);
  }

  undo() {
    this.step(this.past, this.future);
  }

  redo() {
    this.step(this.future, this.past);
  }

  /** @param {State[]} from @param {State[]} to */
  step(from, to) {
    const state = from.pop();
    if (!state) return;
    to.push(this.state);
    this.last = { key: "", at: 0 };
    this.settle(state);
  }

  /** @param {State} state */
  settle(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {State} state */
const print = (state) => JSON.stringify([[...state.values], state.format]);
