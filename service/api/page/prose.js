// Texts of the API's document as elements: what stands in backticks becomes code, schemas become words.

import { el } from "./dom.js";

/** @param {string} text @returns {(Node | string)[]} */
export function prose(text) {
  return text.split(/(`[^`]+`)/).map((part) => (/^`.+`$/.test(part) ? el("code", { text: part.slice(1, -1) }) : part));
}

/** @param {string[]} heads @param {(Node | string)[][][]} rows cells, each of parts */
export function table(heads, rows) {
  const head = el("tr", {}, ...heads.map((text) => el("th", { scope: "col", text })));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, ...[cell].flat()))))));
}

/** @param {any} schema @returns {string} */
export function words(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf) return schema.anyOf.map(words).join(" | ");
  if (schema.type === "array") return `list of ${words(schema.items)}`;
  const range = [schema.minimum ?? "", schema.maximum ?? ""].join("..");
  return (schema.format ?? schema.type ?? "any") + (range === ".." ? "" : ` ${range}`);
}

/** @param {Record<string, any> | undefined} content */
export function contents(content) {
  return Object.entries(content ?? {}).map(([type, one]) => el("div", {}, el("code", { text: type }), ` ${words(one.schema)}`));
}
