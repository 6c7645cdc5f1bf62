"""The headers of answers that are there only where they are configured or asked for, for the template of nginx.conf.

An answer gets them in one of three ways: nginx computes them of the URI (a canonical name), Lua sets them (`@rules`),
or the service gives them (`/@derived/`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.cache_tag import separator
from gateway.settings import Config

_IMAGE = "(?P<tagged>(?P<tagged_folder>.+/)[^/]+)"
_IMAGE_IN_NO_FOLDER = "(?P<tagged>[^/]+)"


@dataclass(frozen=True, slots=True)
class Header:
    """A header, and its value by each of the three ways, as nginx.conf spells it; empty: that way it is not added."""

    name: str
    of_canonical: str
    of_rules: str
    of_service: str


def headers_of(config: Config, *, dialect: bool = False) -> list[Header]:
    """The headers that may be there. A `dialect` has a Link of its own, and no parameters to save its images."""
    public, found = config.public, []
    if public.cache_tags.header:
        name = public.cache_tags.header
        found.append(Header(name, "$tags_of_uri", "$cache_tags", _upstream(name)))
    if _names_canonical_url(config) and not dialect:
        link = f'"<{public.base_url}/images$canonical>; rel=\\"canonical\\""'
        found.append(Header("Link", link, "$canonical_link", _upstream("Link")))
    if not dialect:
        found.append(Header("Content-Disposition", "", "$disposition", ""))  # nginx takes it over from the service
    return found


def tag_patterns(config: Config) -> list[tuple[str, str]]:
    """The tags of a canonical name as pairs of a pattern of the URI and what its tags are; none without tags."""
    header = config.public.cache_tags.header
    if not header:
        return []
    between = separator(header)
    return [
        (f"^/images/{_IMAGE}/@[^/]*$", f"$tagged{between}$tagged_folder"),
        (f"^/images/{_IMAGE_IN_NO_FOLDER}/@[^/]*$", f"$tagged{between}/"),
    ]


def settings_of(config: Config) -> Mapping[str, object]:
    """What nginx/lua/answer_headers.lua must know."""
    return dict(_settings(config))


def canonical_url(config: Config) -> str:
    """What the URLs of canonical names begin with."""
    return f"{config.public.base_url}/images/"


def _upstream(name: str) -> str:
    return "$upstream_http_" + name.lower().replace("-", "_")


def _settings(config: Config) -> Iterator[tuple[str, object]]:
    tags = config.public.cache_tags
    if tags.header:
        yield "tag_separator", separator(tags.header)
        yield "longest_tag", tags.longest
    if _names_canonical_url(config):
        yield "canonical_url", canonical_url(config)


def _names_canonical_url(config: Config) -> bool:
    return config.public.canonical_link and config.public.access == "open"
