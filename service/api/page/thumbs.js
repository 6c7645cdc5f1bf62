// Thumbnails for the grid: a few at a time, the newest wish first, the last few hundred held.

import { json, picture } from "./api.js";
import { escape } from "./names.js";
import { placeholder } from "./thumbhash.js";

const AT_ONCE = 6;
const HELD = 400;
const RECIPE = "@w=320,h=320,fit=cover.auto";

/** @typedef {{name: string, signal: AbortSignal, early: (address: string) => void, done: (address: string) => void, failed: (why: string) => void}} Wish */

/** @type {Map<string, string>} addresses of blobs by name, the least recently used first */
const held = new Map();
/** @type {Wish[]} */
const waiting = [];
let running = 0;

/** Show the thumbnail of an image: its ThumbHash as soon as that is known, then itself. @param {Wish} wish */
export function thumbnail(wish) {
  const known = held.get(wish.name);
  if (known) {
    held.delete(wish.name);
    held.set(wish.name, known);
    wish.done(known);
    return;
  }
  waiting.push(wish);
  next();
}

/** Forget the thumbnail of an image that was replaced or deleted. @param {string} name */
export function forget(name) {
  URL.revokeObjectURL(held.get(name) ?? "");
  held.delete(name);
}

/** Forget all of them: they were fetched with another token. */
export function forgetAll() {
  for (const name of [...held.keys()]) forget(name);
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    const wish = /** @type {Wish} */ (waiting.pop());
    if (wish.signal.aborted) continue;
    running += 1;
    serve(wish).finally(() => {
      running -= 1;
      next();
    });
  }
}

/** @param {Wish} wish */
async function serve({ name, signal, early, done, failed }) {
  let shown = false;
  const path = `/images/${escape(name)}`;
  json(`${path}/@meta.json`, { signal })
    .then((found) => {
      if (!shown && !signal.aborted && found.placeholder) early(placeholder(found.placeholder));
    })
    .catch(() => {});
  try {
    const { blob } = await picture(`${path}/${RECIPE}`, { signal });
    shown = true;
    const address = URL.createObjectURL(blob);
    hold(name, address);
    done(address);
  } catch (error) {
    if (!signal.aborted) failed(/** @type {Error} */ (error).message);
  }
}

function hold(name, address) {
  forget(name);
  held.set(name, address);
  for (const oldest of held.keys()) {
    if (held.size <= HELD) break;
    forget(oldest);
  }
}
