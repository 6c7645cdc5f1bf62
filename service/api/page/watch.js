// Watch: this node as it runs, from /stats every second, and /metrics every other second.

import { ask, json } from "./api.js";
import { Chart } from "./chart.js";
import { el } from "./dom.js";
import { parse, quantiles, total } from "./prometheus.js";
import { refusals } from "./refusals.js";
import { count, duration, size } from "./words.js";

const EVERY = 1000; // milliseconds
const HITS = ["HIT-DISK", "HIT-MEMORY", "HIT-STORE"];
const WORK = ["decode", "transform", "encode"]; // stages in which the engine computes
const AGES = /^(.*)_age_seconds$/;
const SERVICE = 10; // seconds over which latency is looked at

/** @param {HTMLElement} main @param {string} _name @param {import("./app.js").Gateway} _gateway */
export function watch(main, _name, _gateway) {
  const left = new AbortController();
  const board = new Board();
  main.append(el("h1", { text: "Watch" }), board.element);
  let tick = 0;
  let timer = 0;
  const turn = async () => {
    const began = performance.now();
    try {
      if (!document.hidden) await look();
      board.element.classList.remove("lost");
    } catch (error) {
      if (left.signal.aborted) return;
      board.lost(/** @type {Error} */ (error).message);
    }
    timer = window.setTimeout(turn, Math.max(100, EVERY - (performance.now() - began)));
  };
  async function look() {
    const options = { signal: left.signal };
    board.stats(await json("/stats", options), performance.now() / 1000);
    if (tick++ % 2 === 0) board.metrics(parse(await (await ask("/metrics", options)).text()), performance.now() / 1000);
    if (board.refused()) board.refusals.show((await json("/problems", options)).problems);
  }
  turn();
  return () => {
    clearTimeout(timer);
    left.abort();
  };
}

class Board {
  constructor() {
    /** @type {{at: number, answered: Record<string, number>}[]} */
    this.past = [];
    /** @type {{at: number, found: Map<string, any>}[]} */
    this.read = [];
    this.seen = -1;
    this.failed = 0;
    this.rates = new Chart(["hits", "misses"]);
    this.delays = new Chart(["delay"]);
    this.work = new Chart(["busy"]);
    this.refusals = refusals();
    /** @type {Record<string, HTMLElement>} */
    this.numbers = {};
    this.trouble = el("p", { class: "trouble", role: "alert" });
    this.budgets = el("div", { class: "meters" });
    this.lanes = el("div", { class: "meters" });
    this.fresh = el("dl", { class: "about-list" });
    this.element = el(
      "div",
      { class: "board" },
      this.trouble,
      card("Answers", this.row(["hits", "hits/s"], ["misses", "misses/s"], ["refused", "refusals/s"], ["ratio", "hit ratio"]), this.rates.element, el("p", { class: "soft", "data-of": "answered" })),
      card("Latency of the service", this.row(["p50", "half within"], ["p95", "95 % within"], ["p99", "99 % within"]), this.delays.element, el("p", { class: "soft", text: "Of the last ten seconds with answers. What nginx answers alone is faster, and not in it." })),
      card("Engine", this.row(["busy", "cores busy"], ["running", "jobs"], ["waiting", "waiting"], ["processes", "processes"]), this.work.element, this.lanes),
      card("Budgets", this.budgets),
      card("Freshness", this.fresh),
      card("The service itself", this.row(["cpu", "CPU"], ["memory", "memory"], ["files", "open files"], ["up", "running for"])),
      this.refusals.element,
    );
  }

  /** @param {...[string, string]} names */
  row(...names) {
    const parts = names.map(([key, text]) => {
      this.numbers[key] = el("strong", { "data-number": key, text: "–" });
      return el("div", { class: "number" }, this.numbers[key], el("span", { class: "soft", text }));
    });
    return el("div", { class: "numbers" }, ...parts);
  }

  say(key, text) {
    if (this.numbers[key].textContent !== text) this.numbers[key].textContent = text;
  }

  lost(why) {
    this.element.classList.add("lost");
    this.trouble.textContent = `No new numbers: ${why}`;
  }

  /** @param {any} found @param {number} now */
  stats(found, now) {
    this.trouble.textContent = "";
    this.past.push({ at: now, answered: found.answered });
    if (this.past.length > 4) this.past.shift();
    const first = this.past[0];
    const rate = (/** @type {string[]} */ levels) => (now > first.at ? levels.reduce((sum, level) => sum + found.answered[level] - first.answered[level], 0) / (now - first.at) : 0);
    const [hits, misses] = [rate(HITS), rate(["MISS"])];
    this.say("hits", speed(hits));
    this.say("misses", speed(misses));
    this.say("ratio", `${(found.hit_ratio * 100).toFixed(1)} %`);
    this.rates.add([hits, misses]);
    const all = /** @type {HTMLElement} */ (this.element.querySelector("[data-of=answered]"));
    all.textContent = Object.entries(found.answered).map(([level, number]) => `${count(/** @type {number} */ (number))} ${level}`).join(" · ");
    this.say("up", duration(found.running));
    meters(this.budgets, [
      ["derived images on disk", found.derived.bytes, found.derived.most_bytes, size],
      ["derived images, files", found.derived.files, found.derived.most_files, count],
      ["originals on disk", found.originals.bytes, found.originals.most_bytes, size],
      ["images in memory", found.memory_bytes, found.most_memory_bytes, size],
    ]);
    this.failed = Object.values(found.disk_failures).reduce((sum, number) => sum + /** @type {number} */ (number), 0);
    this.stat = found;
  }

  /** @param {Map<string, any>} found @param {number} now */
  metrics(found, now) {
    this.read.push({ at: now, found });
    while (this.read.length > 2 && now - this.read[0].at > SERVICE) this.read.shift();
    const before = this.read.at(-2) ?? this.read[0];
    const spent = Math.max(1e-9, now - before.at);
    const gain = (/** @type {string} */ name, /** @type {any} */ meant = undefined) => (before.found === found ? 0 : (total(found, name, meant) - total(before.found, name, meant)) / spent);
    const busy = gain("stage_seconds_sum", (/** @type {any} */ labels) => WORK.includes(labels.stage));
    this.say("busy", busy.toFixed(2));
    this.work.add([busy]);
    for (const key of ["running", "processes"]) this.say(key, count(total(found, `engine_${key}`)));
    this.say("waiting", count(total(found, "engine_waiting")));
    this.say("refused", speed(gain("requests_total", refusal)));
    this.count = total(found, "requests_total", refusal);
    this.say("cpu", `${(gain("process_cpu_seconds_total") * 100).toFixed(1)} %`);
    this.say("memory", size(total(found, "process_resident_memory_bytes")));
    this.say("files", count(total(found, "process_open_fds")));
    const within = quantiles(this.read[0].found, found, "request_seconds", [0.5, 0.95, 0.99], (labels) => labels.kind === "derived");
    ["p50", "p95", "p99"].forEach((key, index) => this.say(key, within ? duration(within[index]) : "–"));
    this.delays.add([within ? within[1] : 0]);
    const waiting = /** @type {any[]} */ (found.get("engine_waiting") ?? []);
    const most = Math.max(8, ...waiting.map((sample) => sample.value));
    meters(this.lanes, waiting.map((sample) => [`lane ${sample.labels.lane}`, sample.value, most, count]));
    this.freshness(found);
  }

  /** Ages that the gateway tells, whatever they are of; and what waits. */
  freshness(found) {
    const rows = [...found].flatMap(([name, samples]) => {
      const of = AGES.exec(name)?.[1];
      return of ? [[`last ${of.replaceAll("_", " ")}`, `${duration(samples[0].value)} ago`]] : [];
    });
    rows.push(["originals known then", count(total(found, "originals_listed"))]);
    rows.push(["on their way to the store", count(total(found, "write_behind"))]);
    rows.push(["to be removed from the store", count(total(found, "takedowns_waiting"))]);
    rows.push(["comparisons that failed", count(total(found, "comparison_failures_total"))]);
    rows.push(["failures of the disk", count(this.failed)]);
    this.fresh.replaceChildren(...rows.flatMap(([key, value]) => [el("dt", { text: key }), el("dd", { text: value })]));
  }

  /** Whether there were refusals since this was last asked. */
  refused() {
    const changed = this.count !== this.seen;
    this.seen = this.count ?? -1;
    return changed;
  }
}

const refusal = (labels) => labels.status >= "400";
const speed = (number) => (number < 10 ? number.toFixed(1) : count(Math.round(number)));

function card(title, ...content) {
  return el("section", { class: "card" }, el("h2", { text: title }), ...content);
}

function meters(place, rows) {
  place.replaceChildren(
    ...rows.map(([name, value, most, words]) =>
      el("div", { class: "meter" }, el("span", { text: name }), el("span", { class: "soft", text: `${words(value)} of ${words(most)}` }), el("meter", { min: 0, max: Math.max(1, most), value: String(value), "aria-label": name })),
    ),
  );
}
