// The last requests that the service refused, with their reasons.

import { el } from "./dom.js";

export function refusals() {
  const rows = el("tbody", { role: "rowgroup" }); // the roles stay where a narrow screen stacks the cells
  const none = el("p", { class: "soft", text: "None since the start." });
  const heads = ["When", "Port", "Status", "Request", "Why"].map((text) => el("th", { scope: "col", role: "columnheader", text }));
  const table = el("div", { class: "wide-table refusals", tabindex: "0", role: "region", "aria-label": "The last refusals" }, el("table", { role: "table" }, el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)), rows));
  table.hidden = true;
  const element = el("section", { class: "card all" }, el("h2", { text: "The last refusals" }), none, table, el("p", { class: "soft", text: "Of the service. What nginx refuses alone is in the number above, and not listed." }));
  /** @param {any[]} problems */
  function show(problems) {
    none.hidden = problems.length > 0;
    table.hidden = !problems.length;
    rows.replaceChildren(
      ...problems.slice(0, 20).map((one) => {
        const time = new Date(one.time).toLocaleTimeString("en-GB");
        const cells = [time, one.port, el("span", {}, `${one.status} `, el("code", { text: one.code })), el("code", { class: "path", text: `${one.method} ${one.path}` }), one.detail];
        return el("tr", { role: "row" }, ...cells.map((cell) => el("td", { role: "cell" }, cell)));
      }),
    );
  }
  return { element, show };
}
