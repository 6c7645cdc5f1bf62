// The last requests that the service refused, with their reasons.

import { el } from "./dom.js";

export function refusals() {
  const rows = el("tbody");
  const none = el("p", { class: "soft", text: "None since the start." });
  const heads = ["When", "Port", "Status", "Request", "Why"].map((text) => el("th", { scope: "col", text }));
  const table = el("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": "The last refusals" }, el("table", {}, el("thead", {}, el("tr", {}, ...heads)), rows));
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
        return el("tr", {}, ...cells.map((cell) => el("td", {}, cell)));
      }),
    );
  }
  return { element, show };
}
