"""The handler of each operation, by the operation's name."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from service.api.http.context import CONTEXT
from service.api.http.metrics import metrics, take_counts
from service.api.http.problems import Handler, table
from service.api.resources.capabilities import capabilities, formats, presets
from service.api.resources.chosen import archive_chosen
from service.api.resources.derived import answer_with_redirect
from service.api.resources.direct_uploads import begin_upload, finish_upload, put_incoming
from service.api.resources.events import recent_events
from service.api.resources.health import health, live, serving
from service.api.resources.images import delete_image, get_image
from service.api.resources.journal import journal_entry
from service.api.resources.listing import list_images
from service.api.resources.names import read_names
from service.api.resources.page import docs_file, docs_page, page, page_file
from service.api.resources.problems import recent_problems
from service.api.resources.purge import purge
from service.api.resources.stats import stats
from service.api.resources.uploads import upload_image
from service.api.resources.urls import make_urls
from service.api.resources.used import take_used
from service.api.resources.warm import warm_images
from service.api.schema.openapi import document


async def openapi(request: web.Request) -> web.Response:
    """This document."""
    found = document(request.app[CONTEXT].rules, HANDLERS, table())
    return web.json_response(found, headers={"Cache-Control": "no-cache"})


HANDLERS: Mapping[str, Handler] = {
    "listImages": list_images,
    "getImage": get_image,
    "postImage": upload_image,
    "putImage": upload_image,
    "deleteImage": delete_image,
    "beginUpload": begin_upload,
    "finishUpload": finish_upload,
    "putIncoming": put_incoming,
    "makeUrls": make_urls,
    "purge": purge,
    "warm": warm_images,
    "getStats": stats,
    "getFormats": formats,
    "getPresets": presets,
    "getCapabilities": capabilities,
    "readNames": read_names,
    "archiveChosen": archive_chosen,
    "getProblems": recent_problems,
    "getEvents": recent_events,
    "getJournalEntry": journal_entry,
    "getMetrics": metrics,
    "getLiveness": live,
    "getReadiness": health,
    "getDocument": openapi,
    "getDocs": docs_page,
    "getDocsFile": docs_file,
    "getPage": page,
    "getPageFile": page_file,
}

FRONT_HANDLERS: Mapping[str, Handler] = {
    "getDerived": answer_with_redirect,
    "getHealth": serving,
    "takeCounts": take_counts,
    "takeUsed": take_used,
}
