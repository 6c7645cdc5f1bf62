// Asks the API. The token is a header of each request and never a part of a URL; cookies are never sent.

const PLACE = "image-gateway-token"; // in the storage of this tab, which ends with it
const IMAGES = "image/avif,image/webp,image/png,image/jpeg,image/gif,image/*;q=0.8";

/** A refusal or failure, as the gateway explains it (RFC 9457). */
export class Problem extends Error {
  /** @param {number} status @param {string} detail @param {string} code */
  constructor(status, detail, code = "") {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

export const token = {
  get: () => sessionStorage.getItem(PLACE) ?? "",
  /** @param {string} text */
  set: (text) => sessionStorage.setItem(PLACE, text),
  forget: () => sessionStorage.removeItem(PLACE),
};

/** @returns {Record<string, string>} */
export const authorization = () => (token.get() ? { Authorization: `Bearer ${token.get()}` } : {});

/**
 * @param {string} path
 * @param {RequestInit & {headers?: Record<string, string>}} [options]
 * @returns {Promise<Response>} Throws Problem for every status from 400 on, and where nothing answers.
 */
export async function ask(path, options = {}) {
  const headers = { ...authorization(), ...options.headers };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, credentials: "omit" });
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    throw new Problem(0, "the gateway does not answer", "unreachable");
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

/** @param {Response} answer */
async function problemOf(answer) {
  const text = await answer.text();
  if (answer.status === 401) dispatchEvent(new CustomEvent("unauthorised"));
  try {
    const found = JSON.parse(text);
    return new Problem(answer.status, found.detail, found.type.split(":").pop());
  } catch {
    return new Problem(answer.status, text || answer.statusText);
  }
}

/** @param {string} path @param {RequestInit} [options] @returns {Promise<any>} */
export const json = async (path, options) => (await ask(path, /** @type {any} */ (options))).json();

/** @param {string} path @param {object} body @param {AbortSignal} [signal] */
export const post = (path, body, signal) =>
  ask(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal });

/**
 * One picture and what its answer said: bytes, milliseconds to the last byte, X-Cache, content type.
 * @param {string} path
 * @param {RequestInit} [options]
 */
export async function picture(path, options = {}) {
  const began = performance.now();
  const answer = await ask(path, { ...options, headers: { Accept: IMAGES } });
  const blob = await answer.blob();
  return {
    blob,
    bytes: blob.size,
    seconds: (performance.now() - began) / 1000,
    cache: answer.headers.get("X-Cache") ?? "",
    type: (answer.headers.get("Content-Type") ?? "").split(";")[0],
  };
}
