// Shows the API's document to people. Everything is set as text, never as HTML.

import { authorization } from "./api.js";
import { el } from "./dom.js";
import { mark, prepare, themeButton } from "./frame.js";
import { operationsOf } from "./operations.js";
import { contents, prose, table, words } from "./prose.js";
import { tokenField, tryIt } from "./trying.js";

/** @param {import("./operations.js").Shown} shown */
function operation({ path, methods, one }) {
  const title = el("h2", {}, ...methods.map((method) => el("b", { class: method, text: method.toUpperCase() })), el("code", { text: path }));
  const section = el("section", { id: one.operationId, "aria-label": `${methods.join(", ")} ${path}` }, title, el("p", {}, ...prose(`${one.summary} ${one.description ?? ""}`)));
  const scopes = [...new Set((one.security ?? []).flatMap((each) => each.token ?? []))];
  if (scopes.length) section.append(el("p", { class: "soft", text: `A token needs the scope ${scopes.join(" or ")}.` }));
  for (const [group, parameters] of grouped(one.parameters ?? [])) section.append(folded(`${group} (${parameters.length})`, parameterTable(parameters)));
  if (one.requestBody) section.append(folded("Body", el("div", {}, ...contents(one.requestBody.content))));
  const answers = Object.entries(one.responses).map(([status, each]) => [status, prose(each.description), contents(each.content)]);
  section.append(folded("Answers", table(["status", "when", "content"], answers)), tryIt(path, methods, one));
  return section;
}

/** Parameters by what they are for: the name, the operations on a picture, conditions, all others. */
function grouped(parameters) {
  const groups = { Name: [], Parameters: [], "Operations on the picture": [], Conditions: [] };
  for (const each of parameters) groups[groupOf(each)].push(each);
  return Object.entries(groups).filter(([, list]) => list.length);
}

function groupOf(parameter) {
  if (parameter.in === "path") return "Name";
  if (parameter.in === "header") return "Conditions";
  return parameter["x-group"] === "operation" ? "Operations on the picture" : "Parameters";
}

function parameterTable(parameters) {
  return table(["name", "value", "meaning"], parameters.map((each) => [[el("code", { text: each.name })], [words(each.schema)], prose(each.description ?? "")]));
}

function folded(title, inner) {
  return el("details", {}, el("summary", { text: title }), el("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": title }, inner));
}

function schema(name, one) {
  const rows = Object.entries(one.properties ?? {}).map(([key, value]) => [[el("code", { text: key })], [words(value)], prose(value.description ?? "")]);
  return el("section", { id: name }, el("h2", {}, el("code", { text: name })), el("p", {}, ...prose(one.description ?? "")), folded(`${rows.length} keys`, table(["key", "value", "meaning"], rows)));
}

function show(api) {
  const shown = operationsOf(api.paths);
  const link = ({ path, methods, one }) => el("a", { href: `#${one.operationId}` }, el("b", { text: methods.map((method) => method.toUpperCase()).join(" ") }), path);
  document.getElementById("index")?.replaceChildren(...shown.map(link), el("a", { href: "#models", text: "Models" }), el("a", { href: "#problems", text: "Problems" }));
  const problems = api["x-problems"].map((each) => [[String(each.status)], [el("code", { text: each.code })], prose(each.when)]);
  document.getElementById("main")?.replaceChildren(
    el("h1", { text: "The API" }),
    el("p", {}, `${api.info.description} Version ${api.info.version}. `, el("a", { href: "/openapi.json", text: "OpenAPI 3.1" })),
    tokenField(),
    ...shown.map(operation),
    el("h1", { id: "models", text: "Models" }),
    ...Object.entries(api.components.schemas).map(([name, one]) => schema(name, one)),
    el("h1", { id: "problems", text: "Problems" }),
    el("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": "Problems" }, table(["status", "code", "when"], problems)),
  );
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

/** Where the gateway serves no workbench, no link leads there. */
async function hideWorkbench() {
  const answer = await fetch("/capabilities", { credentials: "omit", headers: authorization() });
  if (!answer.ok || (await answer.json()).page) return;
  for (const link of document.querySelectorAll("#views a[href^='/#']")) link.remove();
  document.querySelector(".brand")?.removeAttribute("href");
}

prepare();
mark("docs");
document.getElementById("session")?.replaceChildren(themeButton());
hideWorkbench();
fetch("/openapi.json", { credentials: "omit" })
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => document.getElementById("main")?.replaceChildren(el("p", { class: "trouble", text: `The document cannot be read: ${error}` })));
