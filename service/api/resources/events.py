"""The last changes that this node has made, for those who follow them."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from service.api.http.context import CONTEXT
from service.api.http.validation import validated
from service.api.schema.models import Event, Events
from service.api.schema.request_models import Query

MOST = 1000


class EventsQuery(Query):
    """Which changes."""

    after: str = Field("", max_length=64, description="only those after this; `next` of an earlier answer")
    limit: int = Field(100, ge=1, le=MOST, description="of changes at most")


@validated(EventsQuery)
async def recent_events(request: web.Request, asked: EventsQuery) -> web.StreamResponse:
    """The changes that this node has made and remembers, the oldest first: the last 1000 since its start.

    To follow them, ask again with `after`. An `after` that the node does not remember stands before all that it does.
    """
    recent = request.app[CONTEXT].outbox.recent
    found = recent.after(asked.after, asked.limit)
    events = [Event(type=f"image.{change.kind}", timestamp=change.time, data=change.data) for _, change in found]
    answer = Events(events=events, next=found[-1][0] if found else recent.last)
    return web.json_response(text=answer.model_dump_json(), headers={"Cache-Control": "no-store"})
