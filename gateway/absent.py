"""The page that a browser gets where nothing is: what was wrong, and where the workbench is. Twin of absent.lua."""

from __future__ import annotations

from gateway.negotiate import weights

DETAIL = "{detail}"
CONTENT_TYPE = "text/html; charset=utf-8"
_JSON = ("application/problem+json", "application/json")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Not found</title>
</head>
<body>
<h1>Not found</h1>
<p>{detail}</p>
<p>Images are below <code>/images/</code>, such as <code>/images/photos/cat.jpg/@w=300.webp</code>.</p>
{workbench}</body>
</html>
"""


def absent_page(workbench: str) -> str:
    """The page, still without its detail, with a link to the workbench at this URL; without one where that is empty."""
    link = f'<p><a href="{_escape(workbench)}">The workbench</a> shows what there is.</p>\n' if workbench else ""
    return _HTML.replace("{workbench}", link)


def fill_in(page: str, detail: str) -> str:
    """The page with its detail, as text."""
    return page.replace(DETAIL, _escape(detail))


def wants_page(accept: str) -> bool:
    """Whether a browser asks for something to show, by its Accept header: it names HTML, and JSON not as much."""
    ranges = weights(accept)
    return ranges.get("text/html", 0) > max(ranges.get(kind, 0) for kind in _JSON)


def _escape(text: str) -> str:
    return "".join(_ENTITIES.get(letter, letter) for letter in text)
