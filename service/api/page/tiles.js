// Where the tiles of a picture come from: crops of the upright original, each half the size of the level below.
// Another source, such as an image server's own tiles, needs the same three members.

import { escape } from "./names.js";

export const TILE = 512; // pixels of a tile's side, as it is answered

/**
 * @typedef {object} TileSource
 * @property {{width: number, height: number}} size
 * @property {number} levels level 0 has every pixel, the last one fits into a tile
 * @property {(level: number, column: number, row: number) => string} path
 */

/** @param {string} image @param {{width: number, height: number}} size @returns {TileSource} */
export function crops(image, size) {
  const levels = 1 + Math.max(0, Math.ceil(Math.log2(Math.max(size.width, size.height) / TILE)));
  return {
    size,
    levels,
    path(level, column, row) {
      const side = TILE * 2 ** level;
      const [x, y] = [column * side, row * side];
      const [w, h] = [Math.min(side, size.width - x), Math.min(side, size.height - y)];
      const scaled = level ? `,w=${Math.max(1, Math.round(w / 2 ** level))},h=${Math.max(1, Math.round(h / 2 ** level))},fit=fill` : "";
      return `/images/${escape(image)}/@crop=${x}:${y}:${w}:${h}${scaled},q=90.webp`;
    },
  };
}
