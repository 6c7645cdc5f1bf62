"""How the caches of this node are, for operators."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict

from aiohttp import web

from service.api.http.context import CONTEXT
from service.api.http.metrics import LEVELS
from service.api.schema.models import Stats
from service.maintenance.stats import stats_of
from service.metrics import REQUESTS

STARTED = time.monotonic()


async def stats(request: web.Request) -> web.Response:
    """The caches of this node: sizes, counts, hit ratio, ages, evictions.

    What nginx answers alone is in it a second later.
    """
    numbers = asdict(stats_of(request.app[CONTEXT].care))
    answered = _answered()  # by everybody to clients; the service alone does not know of nginx's, and knows of warming
    hits = 1 - answered["MISS"] / answered.total() if answered.total() else 0.0
    numbers |= {"running": time.monotonic() - STARTED, "answered": answered, "hit_ratio": hits}
    return web.json_response(
        text=Stats.model_validate(numbers).model_dump_json(), headers={"Cache-Control": "no-store"}
    )


def _answered() -> Counter[str]:
    found = Counter(dict.fromkeys(LEVELS, 0))
    for metric in REQUESTS.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total") and sample.labels["cache"] in found:
                found[sample.labels["cache"]] += int(sample.value)
    return found
