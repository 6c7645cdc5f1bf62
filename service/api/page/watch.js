// Watch: this node as it runs, from /stats at every look, and those series of /metrics that are shown at every other.

import { ask, json } from "./api.js";
import { Chart } from "./chart.js";
import { el } from "./dom.js";
import { again } from "./polling.js";
import { names, parse, pick, quantiles, total } from "./prometheus.js";
import { refusals } from "./refusals.js";
import { count, duration, size } from "./words.js";

const SELDOM = 2; // looks for one at the metrics
const SHOWN = [
  "comparison_failures_total",
  "engine_cpu_seconds_total",
  "engine_processes",
  "engine_running",
  "engine_waiting",
  "originals_listed",
  "process_cpu_seconds_total",
  "process_open_fds",
  "process_resident_memory_bytes",
  "takedowns_waiting",
  "write_behind",
];
const HITS = ["HIT-DISK", "HIT-MEMORY", "HIT-STORE"];
const AGES = /^(.*)_age_seconds$/;
const RATES = 2; // seconds over which rates are looked at
const DELAYS = 10; // and latency

/** @param {HTMLElement} main @param {string} _name @param {import("./app.js").Gateway} _gateway */
export function watch(main, _name, _gateway) {
  const left = new AbortController();
  const options = { signal: left.signal };
  const board = new Board();
  main.append(el("h1", { text: "Watch" }), board.element);
  let turn = 0;
  let series = "/metrics";
  async function look() {
    board.stats(await json("/stats", options), performance.now() / 1000);
    if (turn++ % SELDOM === 0) {
      const text = await (await ask(series, options)).text();
      if (turn === 1) series = pick(series, [...SHOWN, ...names(text).filter((name) => AGES.test(name))]);
      board.metrics(parse(text), performance.now() / 1000);
    }
    if (board.refused()) board.refusals.show((await json("/problems", options)).problems);
    board.found();
  }
  const stop = again(look, (error) => board.lost(error.message));
  return () => {
    stop();
    left.abort();
  };
}

class Board {
  constructor() {
    /** @type {{at: number, found: any}[]} */
    this.past = [];
    /** @type {{at: number, found: Map<string, any>} | null} */
    this.read = null;
    this.refusalsNow = 0;
    this.seen = -1;
    this.failed = 0;
    this.rates = new Chart(["hits", "misses"], (most) => `${speed(most)}/s`);
    this.delays = new Chart(["delay"], duration);
    this.work = new Chart(["busy"], (most) => `${most.toFixed(2)} cores`);
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
      card("Latency of the service", this.row(["p50", "half within"], ["p95", "95 % within"], ["p99", "99 % within"]), this.delays.element, el("p", { class: "soft", text: "Of the last ten seconds. What nginx answers alone is faster, and not in it." })),
      card("Engine", this.row(["busy", "CPU cores"], ["running", "jobs"], ["waiting", "waiting"], ["processes", "processes"]), this.work.element, this.lanes),
      card("Budgets", this.budgets),
      half("Freshness", this.fresh),
      half("The service itself", this.row(["cpu", "CPU"], ["memory", "memory"], ["files", "open files"], ["up", "running for"])),
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

  found() {
    this.element.classList.remove("lost");
    this.trouble.textContent = "";
  }

  lost(why) {
    this.element.classList.add("lost");
    this.trouble.textContent = `No new numbers: ${why}`;
  }

  /** @param {any} found @param {number} now */
  stats(found, now) {
    if (found.running < (this.past.at(-1)?.found.running ?? 0)) this.past = []; // another service counts from nothing
    this.past.push({ at: now, found });
    while (now - this.past[0].at > DELAYS) this.past.shift();
    const recent = this.past.find((one) => now - one.at <= RATES + 0.5) ?? this.past[0];
    const rate = (/** @type {(of: any) => number} */ number) => (now > recent.at ? (number(found) - number(recent.found)) / (now - recent.at) : 0);
    const [hits, misses] = [rate((of) => HITS.reduce((sum, level) => sum + of.answered[level], 0)), rate((of) => of.answered.MISS)];
    this.say("hits", speed(hits));
    this.say("misses", speed(misses));
    this.say("refused", speed(rate((of) => of.refused)));
    this.say("ratio", `${(found.hit_ratio * 100).toFixed(1)} %`);
    this.rates.add([hits, misses]);
    this.delay(quantiles(this.past[0].found.seconds, found.seconds, [0.5, 0.95, 0.99]));
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
    this.refusalsNow = found.refused;
  }

  /** @param {number[] | null} within half, 95 and 99 of a hundred; null where nothing was answered */
  delay(within) {
    ["p50", "p95", "p99"].forEach((key, index) => this.say(key, within ? duration(within[index]) : "–"));
    this.delays.add([within ? within[1] : 0]);
  }

  /** @param {Map<string, any>} found @param {number} now */
  metrics(found, now) {
    const before = this.read && now - this.read.at < DELAYS ? this.read : { at: now, found };
    this.read = { at: now, found };
    const spent = Math.max(1e-9, now - before.at);
    const gain = (/** @type {string} */ name) => (before.found === found ? 0 : Math.max(0, total(found, name) - total(before.found, name)) / spent);
    const busy = gain("engine_cpu_seconds_total");
    this.say("busy", busy.toFixed(2));
    this.work.add([busy]);
    for (const key of ["running", "processes"]) this.say(key, count(total(found, `engine_${key}`)));
    this.say("waiting", count(total(found, "engine_waiting")));
    this.say("cpu", `${(gain("process_cpu_seconds_total") * 100).toFixed(1)} %`);
    this.say("memory", size(total(found, "process_resident_memory_bytes")));
    this.say("files", count(total(found, "process_open_fds")));
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
    const changed = this.refusalsNow !== this.seen;
    this.seen = this.refusalsNow;
    return changed;
  }
}

const speed = (number) => (number < 10 ? number.toFixed(1) : count(Math.round(number)));

function card(title, ...content) {
  return el("section", { class: "card" }, el("h2", { text: title }), ...content);
}

/** Where four cards stand in a row, this one is twice as wide. */
function half(title, ...content) {
  const element = card(title, ...content);
  element.classList.add("half");
  return element;
}

function meters(place, rows) {
  place.replaceChildren(
    ...rows.map(([name, value, most, words]) =>
      el("div", { class: "meter" }, el("span", { text: name }), el("span", { class: "soft", text: `${words(value)} of ${words(most)}` }), el("meter", { min: 0, max: Math.max(1, most), value: String(value), "aria-label": name })),
    ),
  );
}
