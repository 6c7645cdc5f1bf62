// Puts files in: what was dropped, pasted, chosen or photographed, some at a time, in the order in which they came.

import { Problem } from "./api.js";
import { el } from "./dom.js";
import { alone, dropped, named } from "./files.js";
import { forget } from "./thumbs.js";
import { transfer } from "./transfer.js";
import { Tray } from "./tray.js";

const AT_ONCE = 3;

/**
 * @typedef {object} Upload
 * @property {File} file
 * @property {string} name
 * @property {"waiting" | "sending" | "stored" | "present" | "refused"} state
 * @property {number} sent bytes
 * @property {string} why of a refusal
 * @property {string} code of a refusal
 * @property {boolean} replace
 */

/** @type {Upload[]} */
const uploads = [];
let running = 0;
let left = new AbortController();
const tray = new Tray(uploads, { again, stop, clear });

/** @param {import("./files.js").Found[]} found @param {string} folder */
export function put(found, folder) {
  for (const { file, path } of found) {
    const name = folder + path;
    if (uploads.some((one) => one.name === name && one.state !== "refused" && one.state !== "stored" && one.state !== "present")) continue;
    const before = uploads.findIndex((one) => one.name === name);
    if (before >= 0) uploads.splice(before, 1);
    uploads.push({ file, name, state: "waiting", sent: 0, why: "", code: "", replace: false });
  }
  next();
}

/** @param {Upload} upload @param {boolean} replace */
function again(upload, replace) {
  Object.assign(upload, { state: "waiting", sent: 0, why: "", replace });
  next();
}

function stop() {
  left.abort();
  left = new AbortController();
  for (const upload of uploads) if (upload.state === "waiting") Object.assign(upload, { state: "refused", why: "stopped", code: "stopped" });
  tray.show();
}

function clear() {
  for (let index = uploads.length - 1; index >= 0; index -= 1) {
    if (!["waiting", "sending"].includes(uploads[index].state)) uploads.splice(index, 1);
  }
  tray.show();
}

function next() {
  for (const upload of uploads) {
    if (running === AT_ONCE) break;
    if (upload.state === "waiting") send(upload);
  }
  tray.show();
}

/** @param {Upload} upload */
async function send(upload) {
  running += 1;
  upload.state = "sending";
  const progress = (/** @type {number} */ sent) => {
    upload.sent = Math.min(sent, upload.file.size);
    tray.moved();
  };
  try {
    const { file, name, replace } = upload;
    upload.state = await transfer(name, file, { replace, progress, signal: left.signal });
    upload.sent = upload.file.size;
    forget(name);
  } catch (error) {
    const code = error instanceof Problem ? error.code : "";
    Object.assign(upload, { state: "refused", why: /** @type {Error} */ (error).message, code });
  }
  running -= 1;
  next();
  if (!running) dispatchEvent(new CustomEvent("stored"));
}

/** A button for files, and one for a folder; telephones offer their camera. @param {() => string} folder */
export function chooseFiles(folder) {
  const field = (attributes, found) => {
    const change = (event) => {
      put(found([...event.target.files]), folder());
      event.target.value = "";
    };
    return el("input", { type: "file", class: "unseen", tabindex: "-1", "aria-hidden": "true", ...attributes, on: { change } });
  };
  const files = field({ accept: "image/*", multiple: true }, (given) => given.map(alone));
  const folders = field({ webkitdirectory: true, multiple: true }, (given) => given.map(alone));
  const camera = field({ accept: "image/*", capture: "environment" }, (given) => named(given, "photo"));
  const button = (text, input, kind) => el("button", { type: "button", class: kind, text, on: { click: () => input.click() } });
  return el(
    "div",
    { class: "put", role: "group", "aria-label": "Put pictures in" },
    button("Put pictures in", files, "strong"),
    button("Folder", folders, "wide"),
    button("Camera", camera, "touch"),
    files,
    folders,
    camera,
  );
}

/** Take what is dropped on an element, and what is pasted. Returns how to end that. @param {HTMLElement} element @param {() => string} folder */
export function takeDrops(element, folder) {
  const over = (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    element.classList.add("dropping");
  };
  const leave = (event) => event.relatedTarget === null && element.classList.remove("dropping");
  const drop = async (event) => {
    event.preventDefault();
    element.classList.remove("dropping");
    const into = folder();
    put(await dropped(event.dataTransfer), into);
  };
  const paste = (event) => event.clipboardData?.files.length && put(named(event.clipboardData.files, "pasted"), folder());
  const heard = /** @type {[string, (event: any) => void][]} */ ([["dragover", over], ["dragleave", leave], ["drop", drop], ["paste", paste]]);
  for (const [event, listener] of heard) document.addEventListener(event, listener);
  return () => heard.forEach(([event, listener]) => document.removeEventListener(event, listener));
}
