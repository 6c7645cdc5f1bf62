// What every page has: the colours that people choose, the view that is marked, and a way past the header.

import { el } from "./dom.js";

const THEMES = ["auto", "light", "dark"];
const SIGNS = { auto: "◐", light: "☀", dark: "☾" };
const root = document.documentElement;

/** A button that turns the colours: as the system has them, light, dark. */
export function themeButton() {
  const button = el("button", { type: "button", class: "quiet", on: { click: () => (turnTheme(), name()) } });
  const name = () => {
    const now = /** @type {keyof typeof SIGNS} */ (root.dataset.theme ?? "auto");
    button.textContent = SIGNS[now];
    button.setAttribute("aria-label", `Colours: ${now}. Change them`);
    button.title = `Colours: ${now}`;
  };
  name();
  return button;
}

function turnTheme() {
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
  if (next === "auto") delete root.dataset.theme;
  else root.dataset.theme = next;
  localStorage.setItem("theme", next);
}

/** Show the colours of the last visit, and let the first link lead to the content without a change of the address, which names the view. */
export function prepare() {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  document.querySelector(".skip")?.addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main")?.focus();
  });
}

/** @param {string} view */
export function mark(view) {
  for (const link of document.querySelectorAll("#views a")) {
    if (/** @type {HTMLElement} */ (link).dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
