"""Ask a service of moderation, or against viruses, before an upload is stored (`intake.hook`).

It gets the name, the metadata and a small image in JSON, signed by Standard Webhooks. It answers 204, or 200 with
`{"accept": true}` or `{"accept": false, "reason": TEXT}`. Anything else is a failure.
"""

from __future__ import annotations

import base64
import json
import logging
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client import Counter

from gateway.filenames import visible
from gateway.intake_settings import Hook as HookOptions
from gateway.rules import CONTENT_TYPES, ORIGINAL_TYPES
from gateway.standard_webhooks import headers
from service.cache.work import Work
from service.derivatives.derivatives import JobSettings
from service.engine.job import Header, Job
from service.engine.pool.pool import EnginePool
from service.runtime.trust import connector
from service.uploads.errors import HookFailed, RefusedByHook
from service.uploads.incoming import Incoming

KIND = "image.upload"
SIDE = 256  # pixels, of the longer side of the small image
QUALITY = 75
FORMAT = "jpg"
LONGEST_ANSWER = 64 * 1024  # bytes
LONGEST_REASON = 500  # characters

ASKED = Counter(
    "image_gateway_intake_hook",
    "Uploads that the hook was asked about: accepted, refused, or failed, where it gave no answer.",
    ["outcome"],
    registry=None,
)
for _outcome in ("accepted", "refused", "failed"):
    ASKED.labels(_outcome)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """A verified upload for this name; `document` is the file with its metadata, if it is there."""

    name: str
    upload: Incoming
    header: Header
    document: Path


class _NoAnswer(Exception):
    """The hook did not answer as it should; the text says what it did."""


class Hook:
    """The hook of one configuration, with its connections."""

    def __init__(self, options: HookOptions, engine: EnginePool, job_settings: JobSettings, work: Work) -> None:
        self._options = options
        self._engine = engine
        self._job_settings = job_settings
        self._work = work
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def ask(self, question: Question) -> None:
        """Return where the upload is accepted. Raises RefusedByHook; HookFailed where there is no answer and the
        configuration refuses then; EngineError where the small image cannot be made."""
        body = json.dumps(await self._message(question), ensure_ascii=False).encode()
        try:
            reason = await self._answer(body)
        except _NoAnswer as error:
            ASKED.labels("failed").inc()
            log.warning("intake.hook gives no answer about %s: %s", question.name, error)
            if self._options.on_failure == "refuse":
                raise HookFailed("the service that has to accept uploads does not answer; try again") from error
            return
        ASKED.labels("accepted" if reason is None else "refused").inc()
        if reason is not None:
            raise RefusedByHook(f"the upload is refused: {reason}")

    async def _message(self, question: Question) -> dict[str, Any]:
        upload, document = question.upload, question.document
        metadata = json.loads(document.read_bytes()) if document.exists() and document.stat().st_size else None
        return {
            "type": KIND,
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "data": {
                "name": question.name,
                "bytes": upload.size,
                "sha256": upload.sha256,
                "content_type": ORIGINAL_TYPES[question.header.format],
                "metadata": metadata,
                "preview": {
                    "content_type": CONTENT_TYPES[FORMAT],
                    "base64": base64.b64encode(await self._preview(question)).decode(),
                },
            },
        }

    async def _preview(self, question: Question) -> bytes:
        """A small JPEG of the upload's first frame, without metadata."""
        settings, sha256 = self._job_settings, question.upload.sha256
        with self._work.file() as output:
            job = Job(
                "derive",
                str(question.upload.path),
                question.header,
                settings.limits,
                recipe={"w": str(SIDE), "h": str(SIDE)},
                format=FORMAT,
                output=str(output),
                quality=QUALITY,
                tolerant=settings.tolerant,
                library=settings.library,
                effort=settings.effort.get(FORMAT),
            )
            await self._engine.run(job, affinity=sha256, lane="upload", content=sha256)
            return output.read_bytes()

    async def _answer(self, body: bytes) -> str | None:
        """The reason why the upload is refused; None where it is accepted. Raises _NoAnswer."""
        sent = {"Content-Type": "application/json", **self._signature(body)}
        try:
            async with self._session().post(
                self._options.url, data=body, headers=sent, allow_redirects=False
            ) as response:
                status, answer = response.status, await _read(response.content)
        except TimeoutError:
            raise _NoAnswer(f"no whole answer came within {self._options.timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _NoAnswer(str(error) or type(error).__name__) from error
        if status == 204:
            return None
        if status != 200:
            raise _NoAnswer(f"it answers {status}; 200 with JSON, or 204, is expected")
        return _reason(answer)

    def _signature(self, body: bytes) -> dict[str, str]:
        secret = self._options.secret
        signing = [secret.get_secret_value()] if secret else []
        return headers(signing, f"msg_{secrets.token_hex(16)}", int(time.time()), body) if signing else {}

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=self._options.timeout)
            jar = aiohttp.DummyCookieJar()
            self._http = aiohttp.ClientSession(connector=connector(), timeout=timeout, cookie_jar=jar)
        return self._http


async def _read(content: aiohttp.StreamReader) -> bytes:
    """An answer, or as much of it as shows that it is too long."""
    answer = bytearray()
    while len(answer) <= LONGEST_ANSWER and (chunk := await content.readany()):
        answer += chunk
    return bytes(answer)


def _reason(answer: bytes) -> str | None:
    try:
        said = json.loads(answer) if len(answer) <= LONGEST_ANSWER else None
    except ValueError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("accept"), bool):
        raise _NoAnswer('its answer is no JSON such as {"accept": true} or {"accept": false, "reason": "..."}')
    if said["accept"]:
        return None
    reason = said.get("reason")
    text = " ".join(reason.split()) if isinstance(reason, str) else ""
    return visible(text)[:LONGEST_REASON] or "no reason is given"
