// Names of images, and the addresses of views in the page's fragment.

/** A name as a path. @param {string} name */
export const escape = (name) => name.split("/").map(encodeURIComponent).join("/").replaceAll("%40", "@").replaceAll("%3D", "=").replaceAll("%2C", ",").replaceAll("%3A", ":");

/** @param {string} name */
export const leafOf = (name) => name.slice(name.replace(/\/$/, "").lastIndexOf("/") + 1);

/** @param {string} prefix */
export const folderOf = (prefix) => prefix.slice(0, prefix.lastIndexOf("/") + 1);

/**
 * What a derived name says: photos/cat.jpg/@w=300,gray=1.webp
 * @param {string} name
 * @returns {{image: string, recipe: Map<string, string>, format: string} | null}
 */
export function readName(name) {
  const at = name.lastIndexOf("/@");
  if (at < 0) return null;
  const leaf = name.slice(at + 2);
  const dot = leaf.lastIndexOf(".");
  const parts = leaf.slice(0, dot < 0 ? leaf.length : dot).split(",").filter((part) => part && part !== "full");
  const recipe = new Map(parts.map((part) => /** @type {[string, string]} */ (split(part))));
  return { image: name.slice(0, at), recipe, format: dot < 0 ? "" : leaf.slice(dot + 1) };
}

function split(part) {
  const equals = part.indexOf("=");
  return equals < 0 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
}

/** @param {string} image @param {Map<string, string>} recipe @param {string} format */
export function printName(image, recipe, format) {
  const parts = [...recipe].map(([key, value]) => (value === "" ? key : `${key}=${value}`));
  return `${image}/@${parts.join(",") || "full"}.${format}`;
}

/** The view and its subject, from the fragment. @returns {{view: string, name: string}} */
export function readRoute(hash = location.hash) {
  const [, view = "browse", rest = ""] = /^#\/([a-z]+)\/?(.*)$/.exec(hash) ?? [];
  try {
    return { view, name: decodeURIComponent(rest) };
  } catch {
    return { view, name: rest };
  }
}

/** @param {string} view @param {string} name */
export const routeOf = (view, name = "") => `#/${view}/${escape(name)}`;

/** Change the address without leaving the view. @param {string} view @param {string} name */
export function stay(view, name) {
  history.replaceState(null, "", routeOf(view, name));
  dispatchEvent(new CustomEvent("stayed", { detail: `${view} ${name}` }));
}
