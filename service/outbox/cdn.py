"""Tell a CDN which images it must fetch anew, by their tags; each provider's request is a row of PROVIDERS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.cache_tag import LONGEST, folder_tag, image_tag
from gateway.outbox_settings import Cdn
from service.outbox.change import Change, Message
from service.outbox.sending import Client, Request, SendFailed, host_of
from service.store.base import Container

KINDS = frozenset({"replaced", "deleted", "purged"})
PAGE = 1000  # names of a listing at once
MOST_BYTES = 4096  # of the tags in one header: Varnish takes lines of 8 KiB, and others of more
ALL: Sequence[str] = ()  # in place of tags: everything

Purge = Callable[[Cdn, str, Sequence[str]], Request]
"""The request that purges these tags, or ALL, at a URL."""


@dataclass(frozen=True, slots=True)
class Provider:
    """How a CDN is asked: its API, the tags that one request may have, and whether an answer says that it was done."""

    api: str
    most: int
    purge: Purge
    done: Callable[[bytes], bool] = lambda _: True


def _fastly(cdn: Cdn, url: str, tags: Sequence[str]) -> Request:
    """https://www.fastly.com/documentation/reference/api/purging/: purge by surrogate keys, 256 at most; purge all."""
    headers = {"Fastly-Key": _token(cdn), "Accept": "application/json"}
    if not tags:
        return Request("POST", f"{url}/service/{cdn.service}/purge_all", headers)
    soft = {"Fastly-Soft-Purge": "1"} if cdn.soft else {}
    headers |= {"Surrogate-Key": " ".join(tags), **soft}
    return Request("POST", f"{url}/service/{cdn.service}/purge", headers)


def _cloudflare(cdn: Cdn, url: str, tags: Sequence[str]) -> Request:
    """https://developers.cloudflare.com/api/: POST /zones/{zone_id}/purge_cache, with tags or purge_everything."""
    body = {"tags": list(tags)} if tags else {"purge_everything": True}
    return Request("POST", f"{url}/zones/{cdn.zone}/purge_cache", _json_headers(cdn), json.dumps(body).encode())


def _varnish(cdn: Cdn, url: str, tags: Sequence[str]) -> Request:
    """What deploy/varnish/default.vcl reads: PURGE with tags for xkey, or BAN for everything."""
    authorised = _bearer(cdn)
    if not tags:
        return Request("BAN", url, authorised)
    name = "xkey-softpurge" if cdn.soft else "xkey-purge"
    return Request("PURGE", url, {name: " ".join(tags), **authorised})


def _http(cdn: Cdn, url: str, tags: Sequence[str]) -> Request:
    body = {"tags": list(tags)} if tags else {"all": True}
    return Request("POST", url, _json_headers(cdn), json.dumps(body).encode())


def _token(cdn: Cdn) -> str:
    return cdn.token.get_secret_value() if cdn.token else ""


def _bearer(cdn: Cdn) -> dict[str, str]:
    return {"Authorization": f"Bearer {_token(cdn)}"} if cdn.token else {}


def _json_headers(cdn: Cdn) -> dict[str, str]:
    return {"Content-Type": "application/json", **_bearer(cdn)}


def _succeeded(answer: bytes) -> bool:
    try:
        document = json.loads(answer)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("success") is True


PROVIDERS: Mapping[str, Provider] = {
    "fastly": Provider("https://api.fastly.com", 256, _fastly),
    "cloudflare": Provider("https://api.cloudflare.com/client/v4", 30, _cloudflare, _succeeded),
    "varnish": Provider("", 256, _varnish),
    "http": Provider("", 256, _http),
}


class CdnSender:
    """Has one CDN, or one Varnish of several, purge what a change made old. Tags of more than `longest` bytes are
    hashed, as the gateway sends them. It waits for `delay` seconds, in which other nodes forget what they had: the CDN
    would get it from them again."""

    kind = "cdn"

    def __init__(
        self, options: Cdn, url: str, originals: Container, client: Client, longest: int, delay: float
    ) -> None:
        self._options = options
        self._url = url.rstrip("/") if PROVIDERS[options.kind].api else url
        self._originals = originals
        self._client = client
        self._longest = longest
        self.delay = delay
        self.id = f"cdn-{hashlib.sha256(f'{options.kind} {url}'.encode()).hexdigest()[:8]}"
        self.title = f"cdn ({options.kind}, {host_of(url)})"

    def wants(self, kind: str) -> bool:
        return kind in KINDS

    async def send(self, message: Message) -> None:
        provider, options = PROVIDERS[self._options.kind], self._options
        if message.change.kind == "deleted":
            options = options.model_copy(update={"soft": False})  # it must not be shown as stale
        async for tags in self._tags(message.change, provider.most):
            request = provider.purge(options, self._url, tags)
            answer = await self._client.send(request, self._options.timeout)
            if not provider.done(answer):
                raise SendFailed("its answer does not say that it was done")

    async def _tags(self, change: Change, most: int) -> AsyncIterator[Sequence[str]]:
        """The tags of a change, as many at once as one request may have."""
        if change.prefix is None:
            found = list(dict.fromkeys(image_tag(name, self._longest) for name in change.names))
        elif change.prefix:
            found = await self._below(change.prefix)
        else:
            yield ALL
            return
        for group in groups(found, most):
            yield group

    async def _below(self, prefix: str) -> list[str]:
        """The tags of all images whose names begin with the prefix: of the folders that do so too, and of the images of
        the folder that only some of them lie in."""
        found = dict.fromkeys([folder_tag(prefix, self._longest)] if prefix.endswith("/") else [])
        marker: str | None = ""
        while marker is not None:
            page = await self._originals.list(prefix=prefix, marker=marker, limit=PAGE)
            marker = page.marker
            for one in page.objects:
                whole = one.name[: one.name.rfind("/") + 1].startswith(prefix)
                tag = folder_tag if whole else image_tag
                found[tag(one.name, self._longest)] = None
        return list(found)


def groups(tags: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """The tags in groups of at most `most`, and of MOST_BYTES with what separates them."""
    group: list[str] = []
    size = 0
    for tag in tags:
        if group and (len(group) == most or size + len(tag) + 1 > MOST_BYTES):
            yield group
            group, size = [], 0
        group.append(tag)
        size += len(tag) + 1
    if group:
        yield group


def receivers_of(options: Cdn) -> list[str]:
    """The URLs that are asked; none where no CDN is configured."""
    if options.kind == "none":
        return []
    return list(dict.fromkeys(options.urls or [PROVIDERS[options.kind].api]))


def cdn_senders(
    options: Cdn, originals: Container, client: Client, longest: int = LONGEST, delay: float = 0.0
) -> list[CdnSender]:
    """One for each URL."""
    return [CdnSender(options, url, originals, client, longest, delay) for url in receivers_of(options)]
