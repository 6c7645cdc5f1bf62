"""The journal as this node has read it: whether it has settled an entry."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from gateway.errors import Refused
from gateway.journal import LONGEST, parse_entries
from service.api.http.context import CONTEXT
from service.api.http.validation import validated
from service.api.schema.request_models import Query
from service.api.schema.takedown_models import JournalEntry


class JournalQuery(Query):
    """Which entry."""

    entry: str = Field(min_length=1, max_length=LONGEST, description="its name, such as a receipt has it")


@validated(JournalQuery)
async def journal_entry(request: web.Request, asked: JournalQuery) -> web.StreamResponse:
    """Whether this node has settled an entry of the journal: what it made of the image as it was before is gone."""
    if not parse_entries(asked.entry):
        raise Refused(400, "entry: must be the name of an entry, such as `DELETE /images/NAME?receipt=true` gives it")
    settled = request.app[CONTEXT].tasks.journal.has_settled(asked.entry)
    found = JournalEntry(entry=asked.entry, settled=settled)
    return web.json_response(text=found.model_dump_json(), headers={"Cache-Control": "no-store"})
