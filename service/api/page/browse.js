// Browse: folders and pictures below a prefix.

import { Problem } from "./api.js";
import { debounced, el } from "./dom.js";
import { Grid } from "./grid.js";
import { Listing } from "./listing.js";
import { escape, folderOf, leafOf, routeOf, stay } from "./names.js";
import { Selection } from "./selection.js";
import { thumbnail } from "./thumbs.js";
import { chooseFiles, takeDrops } from "./uploads.js";
import { plural, size } from "./words.js";

const REST = 120; // milliseconds that a cell stays in sight before its picture is asked for

/** @param {HTMLElement} main @param {string} prefix @param {import("./app.js").Gateway} gateway */
export function browse(main, prefix, gateway) {
  const folder = folderOf(prefix);
  const scroller = el("div", { class: "scroller" });
  const note = el("p", { class: "count", role: "status" });
  const place = el("div", { class: "place" });
  const selection = new Selection(gateway, (gone) => removed(gone), () => marked());
  let listing = new Listing(prefix);
  let grid = new Grid(scroller, source());
  const search = el("input", {
    type: "search",
    class: "search",
    placeholder: "Names that begin with…",
    "aria-label": "Names that begin with",
    value: prefix.slice(folder.length),
    spellcheck: "false",
    autocomplete: "off",
    on: { input: debounced(200, () => look(folder + search.value)) },
  });
  const add = gateway.may("write") && chooseFiles(() => folderOf(listing.prefix));
  main.append(
    el("h1", { class: "unseen", text: "Browse" }),
    el("div", { class: "bar" }, crumbs(folder), el("div", { class: "tools" }, search, add || null)),
    el("div", { class: "bar low" }, note, selection.element),
    scroller,
  );
  scroller.append(place);
  const drops = gateway.may("write") ? takeDrops(main, () => folderOf(listing.prefix)) : () => {};
  const stored = () => look(listing.prefix);
  addEventListener("stored", stored);
  more();

  function source() {
    return {
      label: "Folders and pictures",
      count: () => listing.entries.length,
      near: () => more(),
      cell: (/** @type {number} */ index, /** @type {AbortSignal} */ signal) => cell(index, signal),
    };
  }

  function look(wanted) {
    listing.close();
    listing = new Listing(wanted);
    grid.close();
    grid = new Grid(scroller, source());
    scroller.scrollTop = 0;
    stay("browse", wanted);
    more();
  }

  async function more() {
    const wanted = listing;
    const before = wanted.entries.length;
    const began = wanted.loading === null;
    try {
      await wanted.more();
      if (wanted !== listing || !began) return;
      if (wanted.entries.length !== before) grid.added(before);
      tell();
    } catch (error) {
      if (wanted === listing && error instanceof Problem) place.replaceChildren(empty("This folder cannot be listed", error.message));
    }
  }

  function tell() {
    const { folders } = listing;
    const names = listing.entries.length - folders;
    const parts = [folders ? plural(folders, "folder") : "", names || !folders ? plural(names, "picture") : ""];
    note.textContent = parts.filter(Boolean).join(", ") + (listing.ended ? "" : " so far");
    const nothing = listing.ended && !listing.entries.length;
    place.replaceChildren(...(nothing ? [nothingHere()] : []));
  }

  function nothingHere() {
    if (listing.prefix !== folder) return empty("No name begins like this", `Nothing in ${folder || "this gateway"} begins with “${listing.prefix.slice(folder.length)}”.`);
    const invitation = gateway.may("write")
      ? "Drop pictures or folders anywhere on this page, or paste one."
      : "Your token may read, but not put pictures in.";
    return empty("No pictures here yet", invitation, gateway.may("write") && chooseFiles(() => folder));
  }

  /** @param {number} index @param {AbortSignal} signal */
  function cell(index, signal) {
    const entry = listing.entries[index];
    if ("folder" in entry) return folderCell(entry.folder);
    const picture = el("span", { class: "thumb" });
    const chosen = selection.has(entry.name);
    const mark = el("span", { class: "mark", "aria-hidden": "true" });
    const link = linkOf(routeOf("picture", entry.name), picture, leafOf(entry.name), size(entry.bytes));
    link.append(mark);
    const choose = (event) => event.key === " " && (event.preventDefault(), selection.toggle(index, listing.entries, event.shiftKey));
    const element = cellOf("cell", entry.name, link, { click: (event) => clicked(event, index, mark), keydown: choose });
    element.setAttribute("aria-selected", String(chosen));
    const timer = setTimeout(() => thumbnail({ name: entry.name, signal, ...shown(picture) }), REST);
    signal.addEventListener("abort", () => clearTimeout(timer));
    return element;
  }

  function clicked(event, index, mark) {
    if (event.target !== mark && !event.shiftKey && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    selection.toggle(index, listing.entries, event.shiftKey);
  }

  function marked() {
    for (const element of grid.body.querySelectorAll("[aria-selected]")) {
      const entry = listing.entries[Number(element.dataset.index)];
      element.setAttribute("aria-selected", String("name" in entry && selection.has(entry.name)));
    }
    main.classList.toggle("selecting", selection.names.size > 0);
  }

  function removed(gone) {
    listing.remove(gone);
    grid.layout();
    tell();
  }

  return () => {
    removeEventListener("stored", stored);
    drops();
    listing.close();
    grid.close();
  };
}

function shown(picture) {
  const show = (address) => {
    const image = el("img", { src: address, alt: "", decoding: "async", draggable: "false" });
    image.addEventListener("load", () => picture.replaceChildren(image), { once: true });
  };
  return {
    early: (address) => picture.replaceChildren(el("img", { src: address, alt: "", class: "early", draggable: "false" })),
    done: show,
    failed: (why) => {
      picture.classList.add("failed");
      picture.replaceChildren(el("span", { text: why }));
    },
  };
}

function folderCell(folder) {
  const picture = el("span", { class: "thumb", "aria-hidden": "true" }, el("span", { class: "tab" }));
  return cellOf("cell folder", folder, linkOf(`#/browse/${escape(folder)}`, picture, leafOf(folder), "folder"), {});
}

function linkOf(href, picture, name, more) {
  return el("a", { href, tabindex: "-1", draggable: "false" }, picture, el("span", { class: "name", text: name }), el("span", { class: "soft", text: more }));
}

/** A cell of the grid has the focus itself; Enter follows its link. */
function cellOf(kind, title, link, on) {
  const cell = el("div", { class: kind, role: "gridcell", title, on }, link);
  cell.addEventListener("keydown", (event) => event.key === "Enter" && link.click());
  return cell;
}

function crumbs(folder) {
  const parts = folder.split("/").filter(Boolean);
  const links = parts.map((part, index) => el("a", { href: routeOf("browse", `${parts.slice(0, index + 1).join("/")}/`), text: part }));
  links.at(-1)?.setAttribute("aria-current", "page");
  const all = el("a", { href: "#/browse/", text: "All pictures", "aria-current": parts.length ? null : "page" });
  return el("nav", { class: "crumbs", "aria-label": "Folder" }, all, ...links);
}

/** What stands where nothing is. @param {string} title @param {string} text @param {Node | null | false} [action] */
export function empty(title, text, action = null) {
  return el("div", { class: "empty" }, el("h2", { text: title }), el("p", { text }), action);
}
