// Questions in the way of what cannot be undone.

import { el } from "./dom.js";
import { plural } from "./words.js";

const NAMED = 12; // names that a question lists

/** Ask twice before pictures are deleted, naming them. @param {string[]} names @returns {Promise<boolean>} */
export async function confirmTwice(names) {
  const what = plural(names.length, "picture");
  const list = el("ul", { class: "names" }, ...names.slice(0, NAMED).map((name) => el("li", { text: name })));
  if (names.length > NAMED) list.append(el("li", { class: "soft", text: `and ${names.length - NAMED} more` }));
  const first = await question(`Delete ${what}?`, [el("p", { text: "These go, with all images derived of them:" }), list], "Delete…");
  if (!first) return false;
  const leaf = names.length === 1 ? names[0] : what;
  const last = el("p", { text: "There is no undo, and no copy is kept by the gateway." });
  return question(`Really delete ${leaf}?`, [last], `Delete ${what} for ever`);
}

/** @param {string} title @param {Node[]} content @param {string} yes @returns {Promise<boolean>} */
function question(title, content, yes) {
  return new Promise((resolve) => {
    const dialog = el(
      "dialog",
      { "aria-label": title, on: { close: () => (dialog.remove(), resolve(dialog.returnValue === "yes")) } },
      el("h2", { text: title }),
      ...content,
      el(
        "div",
        { class: "answers" },
        el("button", { type: "button", class: "quiet", text: "Cancel", autofocus: true, on: { click: () => dialog.close("") } }),
        el("button", { type: "button", class: "danger", text: yes, on: { click: () => dialog.close("yes") } }),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
