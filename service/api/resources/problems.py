"""The last problems of this node, for people who watch it."""

from __future__ import annotations

from aiohttp import web

from service.api.http.recent_problems import latest
from service.api.schema.page_models import RecentProblems


async def recent_problems(_request: web.Request) -> web.Response:
    """The last 50 requests that the service refused or failed, on both ports, the latest first.

    What nginx refuses alone is counted in `/metrics`, and not listed here.
    """
    found = RecentProblems(problems=latest())
    return web.json_response(text=found.model_dump_json(), headers={"Cache-Control": "no-store"})
