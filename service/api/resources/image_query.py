"""The parameters of requests for one image or several."""

from __future__ import annotations

from urllib.parse import urlencode

from pydantic import ConfigDict, Field

from gateway.errors import Refused
from gateway.names import Name, parse
from service.api.http.context import Context
from service.api.resources.urls import UrlOptions
from service.api.schema.request_models import Query, Truth


class ImageQuery(Query):
    """What is asked of an image, beside the operations of the vocabulary."""

    model_config = ConfigDict(extra="allow", frozen=True)

    original: Truth = Field(False, description="the untouched original instead of a derived image")
    url: Truth = Field(False, description="a temporary URL instead of the bytes")
    lifetime: int | None = Field(None, ge=1, description="seconds for which the temporary URL shall hold")
    filename: str | None = Field(None, max_length=255, description="what the temporary URL's file is to be saved as")
    inline: Truth = Field(False, description="whether a browser shows what the temporary URL gives, or saves it")
    regex: str | None = Field(None, description="several images: those in the folder in which this (RE2) finds itself")
    marker: str = Field("", description="several images, with meta or url: only names after this one")
    limit: int | None = Field(None, ge=1, le=1000, description="several images, with meta or url: at most so many")

    def name(self, path: str, context: Context) -> Name:
        """The derived image that the request names, its API parameters left aside. Raises Refused."""
        name = parse(path, urlencode(self.model_extra or {}), context.rules.of_api)
        if self.original and (name.recipe or name.is_meta):
            raise Refused(400, "original: the untouched original takes no operations; leave one of them out")
        return name

    @property
    def of_url(self) -> UrlOptions:
        return UrlOptions(self.original, self.lifetime, self.filename, self.inline)
