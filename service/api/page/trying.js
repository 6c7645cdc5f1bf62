// Tries an operation: a form of its parameters and its body, the same as a command, and the answer.

import { authorization, token } from "./api.js";
import { copy, el } from "./dom.js";
import { escape } from "./names.js";
import { duration, size } from "./words.js";

const LONGEST = 20_000; // characters of an answer that are shown
const EXAMPLES = {
  name: "photos/cat.jpg",
  "/urls": { names: ["photos/cat.jpg/@w=160.webp"], lifetime: 600 },
  "/names": { names: ["photos/cat.jpg/@h=90,w=160,gray=0.webp"] },
  "/archive": { names: ["photos/cat.jpg"], recipe: "w=100.webp" },
  "/purge": { names: ["photos/cat.jpg"] },
  "/warm": { recipes: ["@w=320.webp"], prefix: "photos/" },
};
const ALWAYS_SHOWN = ["name", "prefix", "w", "format", "meta"];

/** A field for the token of this tab, which requests of this page bear. */
export function tokenField() {
  const field = el("input", { id: "token", type: "password", autocomplete: "off", value: token.get(), on: { input: () => (field.value ? token.set(field.value.trim()) : token.forget()) } });
  return el("p", { class: "choices" }, el("label", { for: "token", text: "Token, if this gateway asks for one" }), field);
}

/** @param {string} path @param {string[]} methods @param {any} one */
export function tryIt(path, methods, one) {
  const details = el("details", { class: "try" }, el("summary", { text: "Try it" }));
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(form(path, methods, one)), { once: true });
  return details;
}

function form(path, methods, one) {
  const fields = (one.parameters ?? []).map((parameter) => ({ parameter, input: fieldFor(parameter) }));
  const method = el("select", { "aria-label": "method" }, ...methods.map((each) => el("option", { text: each.toUpperCase() })));
  const body = bodyField(path, one);
  const answer = el("div", { class: "answer", role: "status" });
  const command = el("pre", { tabindex: "0", role: "region", "aria-label": "As a command" });
  const request = () => requestOf(path, method.value, fields, body);
  const show = () => (command.textContent = curl(request()));
  const label = ({ parameter, input }) => el("label", {}, el("code", { text: parameter.name }), input);
  const often = fields.filter(({ parameter }) => ALWAYS_SHOWN.includes(parameter.name));
  const rare = fields.filter(({ parameter }) => !ALWAYS_SHOWN.includes(parameter.name));
  const send = async (event) => {
    event.preventDefault();
    const asked = request();
    if (method.value === "DELETE" && !confirm(`Delete ${asked.url}?`)) return;
    answer.replaceChildren("…");
    await run(asked, answer);
  };
  const made = el(
    "form",
    { class: "trying", on: { submit: send, input: show } },
    methods.length > 1 ? method : null,
    ...often.map(label),
    rare.length ? el("details", {}, el("summary", { text: `${rare.length} more parameters` }), ...rare.map(label)) : null,
    body ? el("label", {}, el("code", { text: "body" }), body) : null,
    command,
    el("div", { class: "answers" }, el("button", { type: "button", class: "small", text: "Copy the command", on: { click: () => copy(String(command.textContent)) } }), el("button", { class: "strong", text: "Send" })),
    answer,
  );
  show();
  return made;
}

function fieldFor({ name, schema, required }) {
  if (schema?.enum) return el("select", {}, el("option", { value: "", text: "" }), ...schema.enum.map((each) => el("option", { text: each })));
  return el("input", { type: "text", spellcheck: "false", autocomplete: "off", required: required ?? false, value: required ? (EXAMPLES[/** @type {"name"} */ (name)] ?? "") : "" });
}

function bodyField(path, one) {
  const content = one.requestBody?.content;
  if (!content) return null;
  if (!content["application/json"]) return el("input", { type: "file", accept: "image/*" });
  const example = JSON.stringify(EXAMPLES[/** @type {"/urls"} */ (path)] ?? {}, null, 1);
  return el("textarea", { rows: String(example.split("\n").length + 1), spellcheck: "false", value: example });
}

function requestOf(path, method, fields, body) {
  const query = new URLSearchParams();
  /** @type {Record<string, string>} */
  const headers = {};
  let address = path;
  for (const { parameter, input } of fields) {
    if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, escape(input.value));
    else if (input.value && parameter.in === "header") headers[parameter.name] = input.value;
    else if (input.value) query.set(parameter.name, input.value);
  }
  const file = body?.type === "file" ? body.files[0] : undefined;
  if (body && body.type !== "file") headers["Content-Type"] = "application/json";
  const url = `${address}${query.size ? `?${query}` : ""}`;
  return { url, method, headers, body: body ? (file ?? (body.type === "file" ? undefined : body.value)) : undefined };
}

function curl({ url, method, headers, body }) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = ["curl", method === "GET" ? "" : `-X ${method}`, token.get() ? '-H "Authorization: Bearer $TOKEN"' : "", ...Object.entries(headers).map(([key, value]) => `-H ${quoted(`${key}: ${value}`)}`)];
  if (body instanceof File) parts.push(`-T ${quoted(body.name)}`);
  else if (body) parts.push(`-d ${quoted(body.replace(/\s+/g, " "))}`);
  return [...parts.filter(Boolean), quoted(location.origin + url)].join(" ");
}

async function run({ url, method, headers, body }, place) {
  const began = performance.now();
  try {
    const answer = await fetch(url, { method, headers: { ...authorization(), ...headers }, body, credentials: "omit", cache: "no-store" });
    const blob = await answer.blob();
    const facts = [`${answer.status} ${answer.statusText}`, size(blob.size), duration((performance.now() - began) / 1000), answer.headers.get("X-Cache")];
    const sent = [...answer.headers].map(([key, value]) => `${key}: ${value}`).join("\n");
    place.replaceChildren(el("p", { class: answer.ok ? "" : "trouble", text: facts.filter(Boolean).join(" · ") }), el("details", {}, el("summary", { text: "Headers" }), el("pre", { text: sent })), await shown(blob));
  } catch (error) {
    place.replaceChildren(el("p", { class: "trouble", text: `${error}` }));
  }
}

/** @param {Blob} blob */
async function shown(blob) {
  if (blob.type.startsWith("image/")) return el("img", { src: URL.createObjectURL(blob), alt: "the answer" });
  if (!/json|text/.test(blob.type)) return el("p", { class: "soft", text: `${blob.type || "no content"}` });
  const text = await blob.text();
  try {
    return el("pre", { text: JSON.stringify(JSON.parse(text), null, 1).slice(0, LONGEST) });
  } catch {
    return el("pre", { text: text.slice(0, LONGEST) });
  }
}
