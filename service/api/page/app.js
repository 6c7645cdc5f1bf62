// The workbench: asks what this gateway can and may, and shows the view that the address names.

import { json, Problem, token } from "./api.js";
import { browse, empty } from "./browse.js";
import { mark, prepare } from "./frame.js";
import { readRoute } from "./names.js";
import { picture } from "./picture.js";
import { askForToken, showSession } from "./session.js";
import { forgetAll } from "./thumbs.js";
import { watch } from "./watch.js";

/**
 * What `GET /capabilities` says, and `may`.
 * @typedef {any & {may: (scope: string) => boolean, scopes: string[], client: string, tokens: boolean}} Gateway
 */

const VIEWS = { browse, picture, watch };
const TITLES = { browse: "Browse", picture: "Picture", watch: "Watch" };

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const session = /** @type {HTMLElement} */ (document.getElementById("session"));
/** @type {Gateway | null} */
let gateway = null;
/** @type {() => void} */
let leave = () => {};
let shown = "";

async function start() {
  const given = token.get();
  try {
    const found = await json("/capabilities");
    gateway = { ...found, may: (scope) => found.scopes.includes(scope) };
  } catch (error) {
    gateway = null;
    leave();
    leave = () => {};
    const { status, message } = /** @type {Problem} */ (error);
    showSession(session, null, start);
    if (status !== 401) return main.replaceChildren(empty("The gateway does not answer", message));
    token.forget();
    return askForToken(main, given && "This token is not known here.", start);
  }
  showSession(session, gateway, () => {
    forgetAll();
    start();
  });
  shown = "";
  show();
}

function show() {
  if (!gateway) return;
  const { view, name } = readRoute();
  const known = /** @type {keyof typeof VIEWS} */ (view in VIEWS ? view : "browse");
  if (`${known} ${name}` === shown) return;
  shown = `${known} ${name}`;
  leave();
  main.replaceChildren();
  main.className = known;
  document.title = `${name || TITLES[known]} · Image Gateway`;
  mark(known);
  if (!gateway.may("read")) {
    leave = () => {};
    const scopes = gateway.scopes.join(", ");
    main.replaceChildren(empty("This token may not look at pictures", `It has the scope ${scopes}; this page needs read.`));
    return;
  }
  leave = VIEWS[known](main, name, gateway);
}

addEventListener("hashchange", show);
addEventListener("stayed", (event) => {
  shown = /** @type {CustomEvent} */ (event).detail;
});
addEventListener("unauthorised", () => gateway && start());
prepare();
start();
