// Where the tiles of a picture come from: IIIF's Image API where this gateway answers it, so that viewers and this page
// share what was made; else crops of the upright original. Each level is half the size of the level below.

import { json } from "./api.js";
import { escape } from "./names.js";

const TILE = 512; // pixels of a crop's side, as it is answered

/**
 * @typedef {object} TileSource
 * @property {{width: number, height: number}} size
 * @property {number} tile pixels of a tile's side, as it is answered
 * @property {number} levels level 0 has every pixel, the last one fits into a tile
 * @property {(level: number, column: number, row: number) => string} path
 */

/**
 * @param {string} image
 * @param {{width: number, height: number, alpha: boolean}} about
 * @param {string} iiif where its Image API is; empty: nowhere
 * @returns {Promise<TileSource>}
 */
export async function tilesOf(image, about, iiif) {
  const address = `${iiif}/${encodeURIComponent(image)}`;
  const info = iiif && (await json(`${address}/info.json`).catch(() => null));
  return info?.tiles?.length ? listed(address, info, about.alpha ? "png" : "jpg") : crops(image, about);
}

/** The tiles that info.json lists (Image API 3.0, 5.4). @param {string} address @param {any} info @returns {TileSource} */
function listed(address, info, format) {
  const { width, height } = info;
  const [{ width: tile, scaleFactors }] = info.tiles;
  return {
    size: { width, height },
    tile,
    levels: scaleFactors.length,
    path(level, column, row) {
      const side = tile * 2 ** level;
      const [x, y] = [column * side, row * side];
      const [w, h] = [Math.min(side, width - x), Math.min(side, height - y)];
      const region = x || y || w < width || h < height ? `${x},${y},${w},${h}` : "full";
      return `${address}/${region}/${Math.ceil(w / 2 ** level)},${Math.ceil(h / 2 ** level)}/0/default.${format}`;
    },
  };
}

/** @param {string} image @param {{width: number, height: number}} size @returns {TileSource} */
function crops(image, size) {
  const levels = 1 + Math.max(0, Math.ceil(Math.log2(Math.max(size.width, size.height) / TILE)));
  return {
    size,
    tile: TILE,
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
