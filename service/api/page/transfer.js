// Sends one file to the API, once, and says how far it is. What is there already is not sent again.

import { ask, authorization, Problem } from "./api.js";
import { escape } from "./names.js";

const ATTEMPTS = 4;
const PAUSE = 800; // milliseconds before the second attempt; each later one waits twice as long
const LARGEST_HASHED = 256 * 2 ** 20; // bytes; of a larger file the size is compared alone

/**
 * @param {string} name
 * @param {File} file
 * @param {{replace?: boolean, progress: (sent: number) => void, signal: AbortSignal}} options
 * @returns {Promise<"stored" | "present">} Throws Problem: with the code `name-exists` where another picture has the name.
 */
export async function transfer(name, file, { replace = false, progress, signal }) {
  const digest = await sha256(file);
  if (!replace) {
    const there = await present(name, file, digest, signal);
    if (there) return "present";
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      await send(name, file, { replace, digest, progress, signal });
      return "stored";
    } catch (error) {
      if (!(error instanceof Problem) || signal.aborted || attempt === ATTEMPTS || ![0, 429, 503].includes(error.status)) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE * 2 ** (attempt - 1)));
      // The answer may be what was lost, and not the picture.
      if (!replace && (await present(name, file, digest, signal).catch(() => false))) return "stored";
    }
  }
}

/** Whether the store has this very file. @returns {Promise<boolean>} Throws Problem where it has another of the name. */
async function present(name, file, digest, signal) {
  let answer;
  try {
    answer = await ask(`/images/${escape(name)}?original=true`, { method: "HEAD", signal });
  } catch (error) {
    if (error instanceof Problem && [403, 404].includes(error.status)) return false; // may not read: the upload will tell
    throw error;
  }
  const theirs = answer.headers.get("Repr-Digest");
  const same = digest && theirs ? theirs === digest : Number(answer.headers.get("Content-Length")) === file.size;
  if (same) return true;
  throw new Problem(409, "another picture has this name", "name-exists");
}

/** The digest as a header has it (RFC 9530); empty where the browser computes none, such as without HTTPS. */
async function sha256(file) {
  if (!crypto.subtle || file.size > LARGEST_HASHED) return "";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return `sha-256=:${btoa(String.fromCharCode(...digest))}:`;
}

/** XMLHttpRequest, as fetch does not say how much of a body has gone out. */
function send(name, file, { replace, digest, progress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/images/${escape(name)}${replace ? "?replace=true" : ""}`);
    for (const [header, value] of Object.entries(authorization())) request.setRequestHeader(header, value);
    request.setRequestHeader("Accept", "application/problem+json");
    if (digest) request.setRequestHeader("Repr-Digest", digest);
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("error", () => reject(new Problem(0, "the connection broke", "unreachable")));
    request.addEventListener("abort", () => reject(new Problem(0, "stopped", "stopped")));
    request.addEventListener("load", () => (request.status < 300 ? resolve(undefined) : reject(problemOf(request))));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function problemOf(request) {
  try {
    const found = JSON.parse(request.responseText);
    return new Problem(request.status, found.detail, found.type.split(":").pop());
  } catch {
    return new Problem(request.status, request.statusText || "refused");
  }
}
