// Who may: the token of this tab, and what its scopes allow.

import { token } from "./api.js";
import { el } from "./dom.js";
import { themeButton } from "./frame.js";

/** Ask for a token in place of the view. @param {HTMLElement} main @param {string} trouble @param {() => void} given */
export function askForToken(main, trouble, given) {
  const field = el("input", {
    id: "token",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    "aria-describedby": "token-note",
  });
  const submit = (event) => {
    event.preventDefault();
    token.set(field.value.trim());
    given();
  };
  main.replaceChildren(
    el(
      "form",
      { class: "sign-in", on: { submit } },
      el("h1", { text: "This gateway asks for a token" }),
      el("p", { id: "token-note", text: "It stays in this tab and ends with it. It is sent as a header of each request, and never stands in a URL." }),
      el("label", { for: "token", text: "Token" }),
      field,
      trouble && el("p", { class: "trouble", role: "alert", text: trouble }),
      el("button", { class: "strong", text: "Use this token" }),
    ),
  );
  field.focus();
}

/** Who one is here, and how to stop being that. @param {HTMLElement} place @param {import("./app.js").Gateway | null} gateway @param {() => void} left */
export function showSession(place, gateway, left) {
  const theme = themeButton();
  if (!gateway?.tokens) return place.replaceChildren(theme);
  place.replaceChildren(
    el("span", { class: "who", title: `may ${gateway.scopes.join(", ")}` }, el("strong", { text: gateway.client }), el("span", { class: "soft", text: gateway.scopes.join(" · ") })),
    el("button", { type: "button", class: "quiet", text: "Forget token", on: { click: () => (token.forget(), left()) } }),
    theme,
  );
}
