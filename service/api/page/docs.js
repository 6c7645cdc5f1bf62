// Shows the API's document. Everything is set as text, never as HTML.
"use strict";

const METHODS = ["get", "put", "post", "delete"];

function element(tag, content, attributes = {}) {
  const made = document.createElement(tag);
  for (const part of [content].flat()) made.append(part ?? "");
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function table(heads, rows) {
  const head = element("tr", heads.map((text) => element("th", text)));
  return element("table", [head, ...rows.map((cells) => element("tr", cells.map((cell) => element("td", cell))))]);
}

function words(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf) return schema.anyOf.map(words).join(" | ");
  if (schema.type === "array") return `list of ${words(schema.items)}`;
  const range = [schema.minimum ?? "", schema.maximum ?? ""].join("..");
  return (schema.format ?? schema.type ?? "any") + (range === ".." ? "" : ` ${range}`);
}

function contents(content) {
  return Object.entries(content ?? {}).map(([type, one]) => element("div", [element("code", type), " ", words(one.schema)]));
}

function folded(title, inner) {
  return element("details", [element("summary", title), inner]);
}

function operation(path, method, one) {
  const title = element("h2", [element("b", method.toUpperCase()), element("code", path)]);
  const parts = [title, element("p", [one.summary, " ", one.description ?? ""])];
  const scopes = (one.security ?? []).flatMap((each) => each.token ?? []);
  if (scopes.length) parts.push(element("p", `scope: ${scopes.join(" or ")}`));
  if (one.parameters) {
    const rows = one.parameters.map((each) => [
      element("code", each.name), each.in, words(each.schema), each.description ?? "",
    ]);
    parts.push(folded(`${rows.length} parameters`, table(["name", "in", "value", "meaning"], rows)));
  }
  if (one.requestBody) parts.push(folded("body", element("div", contents(one.requestBody.content))));
  const answers = Object.entries(one.responses).map(([status, each]) => [status, each.description, contents(each.content)]);
  parts.push(folded("answers", table(["status", "when", "content"], answers)));
  return element("section", parts, { id: one.operationId });
}

function schema(name, one) {
  const rows = Object.entries(one.properties ?? {}).map(([key, value]) => [
    element("code", key), words(value), value.description ?? "",
  ]);
  return element("section", [element("h2", element("code", name)), element("p", one.description), table(["key", "value", "meaning"], rows)]);
}

function show(api) {
  const about = document.getElementById("about");
  about.replaceChildren(`${api.info.description} Version ${api.info.version}. `, element("a", "OpenAPI 3.1", { href: "/openapi.json" }));
  const main = document.getElementById("operations");
  main.replaceChildren();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((each) => item[each])) {
      const link = element("a", `${method.toUpperCase()} ${path}`, { href: `#${item[method].operationId}` });
      document.getElementById("index").append(link);
      main.append(operation(path, method, item[method]));
    }
  }
  for (const [name, one] of Object.entries(api.components.schemas)) main.append(schema(name, one));
  const problems = api["x-problems"].map((each) => [String(each.status), element("code", each.code), each.when]);
  main.append(element("h2", "Problems"), table(["status", "code", "when"], problems));
}

fetch("/openapi.json")
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => document.getElementById("operations").replaceChildren(`The document cannot be read: ${error}`));
