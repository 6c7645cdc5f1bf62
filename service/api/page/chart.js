// A line of the last minutes. The numbers beside it say the same to who cannot see it.

const SPACE = "http://www.w3.org/2000/svg";
const POINTS = 120;

export class Chart {
  /** @param {string[]} kinds the class of each line */
  constructor(kinds) {
    this.element = document.createElementNS(SPACE, "svg");
    this.element.setAttribute("viewBox", `0 0 ${POINTS - 1} 40`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("class", "chart");
    this.element.setAttribute("aria-hidden", "true");
    this.lines = kinds.map((kind) => {
      const path = document.createElementNS(SPACE, "path");
      path.setAttribute("class", kind);
      this.element.append(path);
      return { path, values: /** @type {number[]} */ ([]) };
    });
  }

  /** @param {number[]} values one for each line */
  add(values) {
    this.lines.forEach((line, index) => {
      line.values.push(values[index]);
      if (line.values.length > POINTS) line.values.shift();
    });
    const most = Math.max(1e-9, ...this.lines.flatMap((line) => line.values));
    for (const { path, values } of this.lines) {
      const start = POINTS - values.length;
      const points = values.map((value, index) => `${start + index} ${(38 - (value / most) * 36).toFixed(2)}`);
      path.setAttribute("d", `M${points.join("L")}`);
    }
  }
}
