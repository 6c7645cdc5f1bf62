// The names below a prefix, page by page, in the memory that a million of them take.

import { json } from "./api.js";

const FIRST = 200; // names of the first page, so that it comes soon
const MORE = 10_000; // the most that a page may have

/** @typedef {{folder: string} | {name: string, bytes: number}} Entry */

export class Listing {
  /** @param {string} prefix */
  constructor(prefix) {
    this.prefix = prefix;
    /** @type {Entry[]} */
    this.entries = [];
    this.folders = 0;
    this.ended = false;
    /** @type {Promise<void> | null} */
    this.loading = null;
    this.next = `/images?${new URLSearchParams({ prefix, delimiter: "/", limit: String(FIRST) })}`;
    this.left = new AbortController();
  }

  /** Load the next page, once, whoever asks meanwhile. */
  more() {
    if (this.ended || this.left.signal.aborted) return Promise.resolve();
    this.loading ??= this.load().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  async load() {
    const page = await json(this.next, { signal: this.left.signal });
    for (const folder of page.folders) this.entries.push({ folder });
    this.folders += page.folders.length;
    for (const { name, bytes } of page.images) this.entries.push({ name, bytes });
    this.ended = page.next === null;
    this.next = (page.next ?? "").replace(/limit=\d+/, `limit=${MORE}`);
  }

  /** @param {Set<string>} gone */
  remove(gone) {
    this.entries = this.entries.filter((entry) => !("name" in entry && gone.has(entry.name)));
  }

  close() {
    this.left.abort();
  }
}
