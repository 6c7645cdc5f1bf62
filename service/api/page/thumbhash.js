// Decodes a ThumbHash (Evan Wallace, 2023): at most 28 bytes that hold the low frequencies of a picture's cosine
// transform, as luminance, two colour differences and alpha.

const LONGEST = 32; // pixels of the longer side

/** A picture of a few pixels, as an address. @param {string} base64 */
export function placeholder(base64) {
  const { width, height, pixels } = decode(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas.toDataURL();
}

/** @param {Uint8Array} hash @returns {{width: number, height: number, pixels: Uint8ClampedArray<ArrayBuffer>}} */
export function decode(hash) {
  const first = hash[0] | (hash[1] << 8) | (hash[2] << 16);
  const second = hash[3] | (hash[4] << 8);
  const alpha = first >> 23 === 1;
  const landscape = second >> 15 === 1;
  const most = alpha ? 5 : 7;
  const [wide, high] = landscape ? [most, second & 7] : [second & 7, most];
  const reader = nibbles(hash, alpha ? 6 : 5);
  const channels = {
    luminance: channel(Math.max(3, wide), Math.max(3, high), ((first >> 18) & 31) / 31, reader),
    yellow: channel(3, 3, (((second >> 3) & 63) / 63) * 1.25, reader),
    red: channel(3, 3, (((second >> 9) & 63) / 63) * 1.25, reader),
    alpha: alpha ? channel(5, 5, (hash[5] >> 4) / 15, reader) : null,
  };
  const base = [(first & 63) / 63, ((first >> 6) & 63) / 31.5 - 1, ((first >> 12) & 63) / 31.5 - 1];
  const ratio = wide / high;
  const width = Math.max(1, Math.round(ratio > 1 ? LONGEST : LONGEST * ratio));
  const height = Math.max(1, Math.round(ratio > 1 ? LONGEST / ratio : LONGEST));
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 4) {
      const point = /** @type {[number, number]} */ ([(Math.PI / width) * (x + 0.5), (Math.PI / height) * (y + 0.5)]);
      const l = base[0] + value(channels.luminance, ...point);
      const p = base[1] + value(channels.yellow, ...point);
      const q = base[2] + value(channels.red, ...point);
      const b = l - (2 / 3) * p;
      const r = (3 * l - b + q) / 2;
      const a = channels.alpha ? (hash[5] & 15) / 15 + value(channels.alpha, ...point) : 1;
      pixels.set([255 * r, 255 * (r - q), 255 * b, 255 * a], at);
    }
  }
  return { width, height, pixels };
}

/** The halves of bytes, the lower first. @param {Uint8Array} hash @param {number} from */
function nibbles(hash, from) {
  let index = 0;
  return () => (hash[from + (index >> 1)] >> ((index++ & 1) << 2)) & 15;
}

function channel(wide, high, scale, read) {
  const terms = [];
  for (let y = 0; y < high; y += 1) {
    for (let x = y ? 0 : 1; x * high < wide * (high - y); x += 1) terms.push({ x, y, factor: (read() / 7.5 - 1) * scale });
  }
  return terms;
}

function value(terms, x, y) {
  return terms.reduce((sum, term) => sum + 2 * term.factor * Math.cos(x * term.x) * Math.cos(y * term.y), 0);
}
