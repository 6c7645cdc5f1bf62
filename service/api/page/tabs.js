// Panels of which one is shown, with a row of tabs (WAI-ARIA, tabs pattern).

import { el } from "./dom.js";

/**
 * @param {string} label
 * @param {Record<string, {element: HTMLElement, open?: () => void}>} panels by their titles, the first shown
 */
export function tabs(label, panels) {
  const entries = Object.entries(panels);
  const buttons = entries.map(([title], index) =>
    el("button", { type: "button", role: "tab", id: `tab-${index}`, "aria-controls": `panel-${index}`, text: title, on: { click: () => open(index), keydown: (event) => key(event, index) } }),
  );
  const bodies = entries.map(([, { element }], index) => el("div", { role: "tabpanel", id: `panel-${index}`, "aria-labelledby": `tab-${index}` }, element));
  /** @param {number} chosen */
  function open(chosen) {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
      bodies[index].hidden = index !== chosen;
    });
    entries[chosen][1].open?.();
  }
  function key(event, index) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[/** @type {"ArrowLeft" | "ArrowRight"} */ (event.key)];
    if (!step) return;
    const next = (index + step + buttons.length) % buttons.length;
    open(next);
    buttons[next].focus();
  }
  open(0);
  return el("div", { class: "tabs" }, el("div", { role: "tablist", "aria-label": label }, ...buttons), ...bodies);
}
