"""The page that a browser gets in place of a problem+json: what was wrong, and where the workbench is. Twin of
error_page.lua, which fills in the page that this module makes."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode

from gateway.negotiate import weights

CONTENT_TYPE = "text/html; charset=utf-8"
VARY = "Sec-Fetch-Dest, Accept"
"""The headers of a request by which an error is a page or not."""
_JSON = ("application/problem+json", "application/json")
_NAVIGATIONS = ("", "document", "frame", "iframe")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_PLACE = re.compile(r"\{([a-z]+)\}")
_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; box-sizing: border-box; padding: 2rem 1.25rem;
  display: grid; place-content: center;
  background: light-dark(#fbfaf8, #131316); color: light-dark(#1b1a18, #ececf0);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 36rem; display: grid; gap: 0.8rem; overflow-wrap: anywhere; }
h1, p { margin: 0; }
h1 { font-size: 1.5rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; }
h1 span { color: light-dark(#3a55c9, #9db0ff); margin-right: 0.35em; }
small { font-size: 0.875rem; color: light-dark(#625f59, #a3a3ad); }
a { color: light-dark(#3a55c9, #9db0ff); text-underline-offset: 0.2em; }
code { font-family: ui-monospace, "SF Mono", "Cascadia Code", "Roboto Mono", "DejaVu Sans Mono", monospace; }
"""
_HTML = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{status}} {{title}} · Image Gateway</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1><span>{{status}}</span>{{title}}</h1>
<p>{{detail}}</p>
{{workbench}}<p><small>Images are below <code>/images/</code>,
such as <code>/images/photos/cat.jpg/@w=300.webp</code>.</small></p>
</main>
</body>
</html>
"""
POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content Security Policy Level 3: this one style, by its hash, and nothing else."""


def error_page(workbench: str) -> str:
    """The page without its status, title and detail. It links to the workbench at this URL, if there is one."""
    link = f'<p><a href="{_escape(workbench)}">The workbench</a> shows what there is.</p>\n' if workbench else ""
    return _HTML.replace("{workbench}", link)


def fill_in(page: str, status: int, title: str, detail: str) -> str:
    """The page with its status, title and detail, as text."""
    values = {"status": str(status), "title": title, "detail": detail}
    return _PLACE.sub(lambda place: _escape(values[place[1]]) if place[1] in values else place[0], page)


def wants_page(accept: str, destination: str) -> bool:
    """Return True if a browser navigates: Accept names HTML, and JSON not as much, and Sec-Fetch-Dest, where there is
    one, is that of a page and not of an image."""
    ranges = weights(accept)
    is_html = ranges.get("text/html", 0) > max(ranges.get(kind, 0) for kind in _JSON)
    return is_html and destination.lower() in _NAVIGATIONS


def _escape(text: str) -> str:
    return "".join(_ENTITIES.get(letter, letter) for letter in text)
