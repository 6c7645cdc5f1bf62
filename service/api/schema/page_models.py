"""The models of the answers that pages are built on: what this gateway can, what names mean, what was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from service.api.schema.models import Problem, Reply


class NameResult(Reply):
    """What a name means, or what is wrong with it."""

    name: str = Field(description="as it was asked for")
    canonical: str | None = Field(None, description="presets expanded, values normalised, keys in order")
    recipe: dict[str, str] | None = Field(None, description="the operations that are left, by key")
    format: str | None = None
    url: str | None = Field(None, description="on the public port; null where that would refuse it")
    expires: int | None = Field(None, description="seconds since the epoch, of a signature that ends")
    problem: Problem | None = None


class Capabilities(Reply):
    """What this gateway can, and what the token of the request may."""

    version: str
    client: str = Field(description="the name of the token, or anonymous")
    iiif: str = Field(description="where this port answers IIIF's Image API, the newest version; empty: nowhere")
    scopes: list[str] = Field(description="what the request's token may; all of them where there are no tokens")
    tokens: bool = Field(description="whether the API asks for tokens")
    operations: list[dict[str, Any]] = Field(description="the vocabulary: a row for each, its limits resolved")
    formats: dict[str, dict[str, Any]] = Field(description="formats out, with what each can hold")
    default_format: str
    negotiate: list[str] = Field(description="what auto may become, the preferred first")
    accepted: dict[str, str] = Field(description="formats in, with their content types")
    presets: dict[str, str]
    public_url: str = Field(description="what URLs on the public port begin with")
    access: str = Field(description="of the public port: open, presets or signed")
    signing: bool = Field(description="whether there is a key to sign URLs with")
    page: bool = Field(description="whether the workbench is served at /")
    most_upload: int = Field(description="bytes of an original")
    most_archive: int = Field(description="images of an archive")


class RecentProblem(Reply):
    """One request that was refused or failed."""

    time: datetime
    port: str
    method: str
    path: str = Field(description="without the query, cut to 200 characters")
    status: int
    code: str
    detail: str


class RecentProblems(Reply):
    """The last requests that the service refused or failed, the latest first. What nginx refuses alone is not here."""

    problems: list[RecentProblem]
