// Makes elements. Text is always set as text, never as HTML.

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] attributes; `on` holds listeners, `class` and `text` what they say;
 *     null and false leave an attribute out, true sets it empty
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) set(made, key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function set(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  else if (key === "text") element.textContent = value;
  else if (key === "value") element.value = value;
  else if (key === "checked") element.checked = value;
  else element.setAttribute(key, value === true ? "" : value);
}

/** Tell people what happened, screen readers too, for a few seconds. @param {string} text */
export function say(text) {
  const place = /** @type {HTMLElement} */ (document.getElementById("said"));
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(saying);
  saying = window.setTimeout(() => place.classList.remove("shown"), 4000);
}

let saying = 0;

/** Copy text; where the browser has no clipboard for this address, the older command does it. @param {string} text */
export async function copy(text) {
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else {
    const area = el("textarea", { class: "hidden", value: text, "aria-hidden": "true" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say("Copied");
}

/** Call `work` once nothing has asked for it for so many milliseconds. @param {number} rest @param {() => void} work */
export function debounced(rest, work) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(work, rest);
  };
}

/** Save a blob as a file. @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
