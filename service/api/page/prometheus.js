// Reads Prometheus' text format 0.0.4, as far as `/metrics` uses it.

/** @typedef {{labels: Record<string, string>, value: number}} Sample */

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;
const PREFIX = "image_gateway_";

/** The address of these series alone. @param {string} path @param {string[]} names without the gateway's prefix */
export const pick = (path, names) => `${path}?${names.map((name) => `name[]=${PREFIX}${name}`).join("&")}`;

/** The names of all metrics, without the gateway's prefix. @param {string} text @returns {string[]} */
export const names = (text) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name.replace(PREFIX, ""));

/** @param {string} text @returns {Map<string, Sample[]>} by the name of the metric, without the gateway's prefix */
export function parse(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    if (!line || line.startsWith("#")) continue;
    const match = LINE.exec(line);
    if (!match) continue;
    const name = match[1].replace(PREFIX, "");
    const labels = Object.fromEntries([...(match[2] ?? "").matchAll(LABEL)].map(([, key, value]) => [key, value]));
    if (!found.has(name)) found.set(name, []);
    found.get(name).push({ labels, value: Number(match[3]) });
  }
  return found;
}

/** The sum of a metric's samples. @param {Map<string, Sample[]>} metrics @param {string} name */
export function total(metrics, name) {
  return (metrics.get(name) ?? []).reduce((sum, sample) => sum + sample.value, 0);
}

/**
 * Quantiles of what a histogram has gained between two readings, each by linear interpolation in its bucket.
 * @param {Record<string, number>} before the cumulative counts by the bounds of the buckets
 * @param {Record<string, number>} after
 * @param {number[]} parts such as 0.5
 * @returns {number[] | null} null where it has gained nothing
 */
export function quantiles(before, after, parts) {
  const bound = (/** @type {string} */ le) => (le === "+Inf" ? Infinity : Number(le));
  const gained = Object.entries(after).map(([le, count]) => ({ le: bound(le), count: count - (before[le] ?? 0) }));
  const buckets = gained.sort((a, b) => a.le - b.le);
  const all = buckets.at(-1)?.count ?? 0;
  return all > 0 ? parts.map((part) => quantile(buckets, part * all)) : null;
}

function quantile(buckets, rank) {
  let [below, from] = [0, 0];
  for (const { le, count } of buckets) {
    if (count >= rank) return le === Infinity ? from : from + ((rank - below) / Math.max(1e-9, count - below)) * (le - from);
    [below, from] = [count, le];
  }
  return from;
}
