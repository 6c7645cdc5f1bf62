// The operations of an OpenAPI document, each told once: methods of one path that say the same are one.

const METHODS = ["get", "put", "post", "delete"];

/** @typedef {{path: string, methods: string[], one: any}} Shown */

/** @param {Record<string, any>} paths @returns {Shown[]} */
export function operationsOf(paths) {
  /** @type {Shown[]} */
  const shown = [];
  for (const [path, item] of Object.entries(paths)) {
    for (const method of METHODS.filter((each) => item[each])) {
      const same = shown.find((other) => other.path === path && said(other.one) === said(item[method]));
      if (same) same.methods.push(method);
      else shown.push({ path, methods: [method], one: item[method] });
    }
  }
  return shown;
}

/** @param {any} operation */
const said = ({ operationId: _, ...rest }) => JSON.stringify(rest);
