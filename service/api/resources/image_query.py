"""The parameters of requests for one image or several."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import urlencode

from pydantic import ConfigDict, Field

from gateway.errors import Refused, quote
from gateway.hints import nearest
from gateway.names import Name, parse
from service.api.http.context import Context
from service.api.resources.urls import UrlOptions
from service.api.schema.request_models import Lifetime, Query, Truth


class ImageQuery(Query):
    """What is asked of an image, beside the operations of the vocabulary."""

    model_config = ConfigDict(extra="allow", frozen=True)

    original: Truth = Field(False, description="the untouched original instead of a derived image")
    url: Truth = Field(False, description="a temporary URL instead of the bytes")
    lifetime: Lifetime | None = Field(
        None, description="for how long the temporary URL shall hold: seconds, or a time such as 1h"
    )
    filename: str | None = Field(
        None, max_length=255, description="what the image, or the temporary URL's file, is to be saved as"
    )
    download: Truth = Field(False, description="whether a browser saves the image, instead of showing it")
    inline: Truth = Field(False, description="whether a browser shows what the temporary URL gives, or saves it")
    regex: str | None = Field(None, description="several images: those in the folder in which this (RE2) finds itself")
    marker: str = Field("", description="several images, with meta or url: only names after this one")
    limit: int | None = Field(None, ge=1, le=1000, description="several images, with meta or url: at most so many")

    def name(self, path: str, context: Context) -> Name:
        """The derived image that the request names, its API parameters left aside. Raises Refused."""
        extra = self.model_extra or {}
        try:
            name = parse(path, urlencode({**extra, **self._saved}), context.rules.of_api)
        except Refused:
            self._refuse_misspelled(extra, context.rules.query_words)
            raise
        if self.original and (name.recipe or name.is_meta):
            raise Refused(400, "original: the untouched original takes no operations; leave one of them out")
        return name

    def _refuse_misspelled(self, extra: Iterable[str], words: Collection[str]) -> None:
        """Raise Refused for a key that is one of the API's parameters with a slip, unless an operation is as near."""
        ours = list(type(self).model_fields)
        for key in extra:
            meant = nearest(key, (*words, *ours))
            if key not in words and meant in ours:
                raise Refused(400, f"{quote(key)}: no such parameter; did you mean {meant}?")

    @property
    def _saved(self) -> dict[str, str]:
        """How the answer is to be saved, where it is one image."""
        if self.url or self.regex is not None:
            return {}
        filename = {} if self.filename is None else {"filename": self.filename}
        return {"download": "1", **filename} if self.download else filename

    @property
    def of_url(self) -> UrlOptions:
        return UrlOptions(self.original, self.lifetime, self.filename, self.inline)
