// Which pictures are chosen, and what can be done with all of them: download, purge, delete.

import { ask, post } from "./api.js";
import { confirmTwice } from "./dialogs.js";
import { el, save, say } from "./dom.js";
import { escape } from "./names.js";
import { forget } from "./thumbs.js";
import { count, plural } from "./words.js";

const AT_ONCE = 4; // deletions
const MOST_PURGED = 1000; // names of one request

export class Selection {
  /**
   * @param {import("./app.js").Gateway} gateway
   * @param {(gone: Set<string>) => void} removed
   * @param {() => void} changed
   */
  constructor(gateway, removed, changed) {
    /** @type {Set<string>} */
    this.names = new Set();
    this.gateway = gateway;
    this.removed = removed;
    this.changed = changed;
    this.anchor = 0;
    this.element = el("div", { class: "selection", role: "group", "aria-label": "Chosen pictures" });
    this.element.hidden = true;
  }

  has(name) {
    return this.names.has(name);
  }

  /** Choose one, or with `range` all from the one that was chosen last. @param {number} index */
  toggle(index, entries, range = false) {
    const name = entries[index].name;
    if (range) {
      const [from, to] = [this.anchor, index].sort((a, b) => a - b);
      for (const entry of entries.slice(from, to + 1)) if (entry.name) this.names.add(entry.name);
    } else if (!this.names.delete(name)) this.names.add(name);
    this.anchor = index;
    this.show();
  }

  clear() {
    this.names.clear();
    this.show();
  }

  show() {
    const button = (text, scope, work, kind = "") =>
      this.gateway.may(scope) && el("button", { type: "button", class: kind, text, on: { click: () => this.run(work) } });
    this.element.hidden = this.names.size === 0;
    this.element.replaceChildren(
      el("strong", { text: `${count(this.names.size)} chosen` }),
      ...[
        button("Download", "read", () => this.download()),
        button("Purge", "delete", () => this.purge()),
        button("Delete", "delete", () => this.delete(), "danger"),
      ].filter(Boolean),
      el("button", { type: "button", class: "quiet", text: "Choose none", on: { click: () => this.clear() } }),
    );
    this.changed();
  }

  async run(work) {
    try {
      await work();
    } catch (error) {
      say(/** @type {Error} */ (error).message);
    }
  }

  async download() {
    say("The archive is being made…");
    const answer = await post("/archive", { names: [...this.names] });
    save(await answer.blob(), "images.zip");
    say(`${plural(this.names.size, "picture")} downloaded`);
  }

  async purge() {
    const names = [...this.names];
    let files = 0;
    for (let from = 0; from < names.length; from += MOST_PURGED) {
      const answer = await post("/purge", { names: names.slice(from, from + MOST_PURGED) });
      files += (await answer.json()).files;
    }
    names.forEach(forget);
    say(`Derived images purged: ${plural(files, "file")}`);
  }

  async delete() {
    const names = [...this.names];
    if (!(await confirmTwice(names))) return;
    const gone = /** @type {Set<string>} */ (new Set());
    let trouble = "";
    const work = async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        try {
          await ask(`/images/${escape(name)}`, { method: "DELETE" });
          gone.add(name);
          forget(name);
        } catch (error) {
          trouble = `${name}: ${/** @type {Error} */ (error).message}`;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    for (const name of gone) this.names.delete(name);
    this.show();
    this.removed(gone);
    say(`${plural(gone.size, "picture")} deleted${trouble && `; not ${trouble}`}`);
  }
}
