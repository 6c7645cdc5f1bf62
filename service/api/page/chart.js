// A line of the last minutes, and the most that it reaches. The numbers beside it say the same to who cannot see it.

import { el } from "./dom.js";

const SPACE = "http://www.w3.org/2000/svg";
const POINTS = 120;

export class Chart {
  /** @param {string[]} kinds the class of each line @param {(most: number) => string} words of its scale */
  constructor(kinds, words) {
    this.words = words;
    const drawing = document.createElementNS(SPACE, "svg");
    drawing.setAttribute("viewBox", `0 0 ${POINTS - 1} 40`);
    drawing.setAttribute("preserveAspectRatio", "none");
    drawing.setAttribute("class", "chart");
    this.peak = el("span", { class: "peak" });
    this.element = el("div", { class: "plot", "aria-hidden": "true" }, drawing, this.peak);
    this.lines = kinds.map((kind) => {
      const path = document.createElementNS(SPACE, "path");
      path.setAttribute("class", kind);
      drawing.append(path);
      return { path, values: /** @type {number[]} */ ([]) };
    });
  }

  /** @param {number[]} values one for each line */
  add(values) {
    this.lines.forEach((line, index) => {
      line.values.push(values[index]);
      if (line.values.length > POINTS) line.values.shift();
    });
    const highest = Math.max(...this.lines.flatMap((line) => line.values));
    const most = Math.max(1e-9, highest);
    this.peak.textContent = highest > 0 ? this.words(highest) : "";
    for (const { path, values } of this.lines) {
      const start = POINTS - values.length;
      const points = values.map((value, index) => `${start + index} ${(38 - (value / most) * 36).toFixed(2)}`);
      path.setAttribute("d", `M${points.join("L")}`);
    }
  }
}
