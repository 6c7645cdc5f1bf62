"""IIIF Image API 3.0 and 2.1: level 2, and what docs/dialects.md lists beyond it.

https://iiif.io/api/image/3.0/ and https://iiif.io/api/image/2.1/
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote as percent_encode

from gateway.errors import Refused
from gateway.holding import Shape
from gateway.names import check_image
from gateway.rules import Rules
from gateway.settings import Config
from gateway.uri import decode
from service.dialects.dialect import (
    Document,
    ListingNeeded,
    Problem,
    Redirect,
    Request,
    ShapeNeeded,
    Translation,
    name_of,
)
from service.dialects.iiif import info
from service.dialects.iiif.manifest import CONTEXT, canvas, manifest
from service.dialects.iiif.parameters import Parameters, canonical, parameters_of, recipe
from service.dialects.iiif.region import region_of
from service.dialects.iiif.size import Most, size_of

_JSON, _JSON_LD = "application/json", "application/ld+json"
_CONTEXT_LINK = '<{}>;rel="http://www.w3.org/ns/json-ld#context";type="application/ld+json"'


def make(config: Config, rules: Rules) -> Iiif | None:
    """The dialect, where it has a prefix."""
    options = config.dialects.iiif
    return Iiif(config, rules) if options.prefix or options.prefix_2 else None


class Iiif:
    """Answers below the prefixes of its versions."""

    name = "iiif"
    signs = False

    def __init__(self, config: Config, rules: Rules) -> None:
        self._options = options = config.dialects.iiif
        self._rules = rules
        self._most = Most(config.limits.width, config.limits.height, config.limits.pixels)
        self._prefixes = {version: prefix for version, prefix in ((3, options.prefix), (2, options.prefix_2)) if prefix}
        self.prefixes = (*self._prefixes.values(), *filter(None, (options.prefix_presentation,)))

    @property
    def _refuses(self) -> bool:
        return self._options.sizes == "refuse"

    def read(self, request: Request) -> Redirect | ShapeNeeded | ListingNeeded:
        """See `service.dialects.dialect.Dialect`."""
        if request.prefix == self._options.prefix_presentation:
            return self._listing(request)
        version = next(version for version, prefix in self._prefixes.items() if prefix == request.prefix)
        identifier, *rest = request.path.split("/")
        image = _image(identifier)
        if not rest:
            return Redirect(f"{self._uri(request, version, image)}/info.json")
        if rest == ["info.json"]:
            return ShapeNeeded(image, lambda shape: self._info(request, version, image, shape))
        if len(rest) != 4:
            raise Refused(404, "must be IDENTIFIER/info.json or IDENTIFIER/region/size/rotation/quality.format")
        region, size, rotation, last = map(decode, rest)
        asked = parameters_of(region, size, rotation, last, self._rules)
        return ShapeNeeded(image, lambda shape: self._image(request, version, image, asked, shape))

    def problem(self, status: int, detail: str) -> Problem:
        """The specification leaves the body open: a sentence for people."""
        return Problem(status, f"{detail}\n".encode())

    def _uri(self, request: Request, version: int, image: str) -> str:
        """The base URI of an image, its identifier escaped as a single segment."""
        return f"{request.base}{self._prefixes[version]}/{percent_encode(image, safe='')}"

    def _image(self, request: Request, version: int, image: str, asked: Parameters, shape: Shape) -> Translation:
        region = region_of(asked.region, shape)
        size = size_of(asked.size, region, self._most, version)
        if self._refuses and not info.lists(region, size, shape, self._options.tile, self._most):
            raise Refused(400, "only the sizes and tiles that info.json names are made here")
        name = name_of(image, recipe(asked, region, size, shape), asked.format, self._rules)
        largest = size_of("max", region, self._most, version)
        uri = f"{self._uri(request, version, image)}/{canonical(asked, region, size, shape, largest, version)}"
        profile = info.profile(version, refuses=self._refuses)
        return Translation(name, link=f'<{uri}>;rel="canonical", <{profile}>;rel="profile"')

    def _info(self, request: Request, version: int, image: str, shape: Shape) -> Document:
        version = self._version_by_accept(request.accept, version)
        document = info.document(
            *(version, self._uri(request, version, image), shape, self._options.tile, self._most),
            *(self._rules.out, self._options.rights),
            refuses=self._refuses,
        )
        context = info.CONTEXTS[version]
        headers = {"Cache-Control": f"public, max-age={self._rules.max_age}", "Vary": "Accept"}
        kind, profile = _JSON, f'<{info.profile(version, refuses=self._refuses)}>;rel="profile"'
        if _JSON_LD in request.accept:
            kind = f'{_JSON_LD};profile="{context}"'
            headers["Link"] = profile
        else:
            headers["Link"] = f"{profile}, {_CONTEXT_LINK.format(context)}"
        return Document(json.dumps(document, indent=1).encode(), kind, headers)

    def _listing(self, request: Request) -> ListingNeeded:
        """The manifest of a folder, on the public port of those that are configured."""
        raw, _, last = request.path.rpartition("/")
        if last != "manifest" or not raw:
            raise Refused(404, "must be FOLDER/manifest")
        folder = "/".join(decode(segment) for segment in raw.split("/"))
        if not request.trusted and folder not in self._options.folders:
            raise Refused(404, "there is no such manifest")
        return ListingNeeded(check_image(folder), lambda images: self._manifest(request, folder, images))

    def _manifest(self, request: Request, folder: str, images: Sequence[tuple[str, Shape]]) -> Document:
        uri = f"{request.base}{request.prefix}/{percent_encode(folder)}/manifest"
        profile = f"level{info.level(refuses=self._refuses)}"
        canvases = (
            canvas(
                *(f"{uri}/canvas/{number}", image.removeprefix(f"{folder}/"), self._uri(request, 3, image)),
                *((shape.width, shape.height), size_of("max", region_of("full", shape), self._most, 3), profile),
            )
            for number, (image, shape) in enumerate(images, 1)
        )
        document = manifest(uri, folder, canvases, self._options.rights)
        headers = {"Cache-Control": f"public, max-age={self._rules.max_age}"}
        return Document(json.dumps(document).encode(), f'{_JSON_LD};profile="{CONTEXT}"', headers)

    def _version_by_accept(self, accept: str, version: int) -> int:
        """The other version where the client names its context, and it is configured."""
        named = [one for one in self._prefixes if info.CONTEXTS[one] in accept]
        return named[0] if named and version not in named else version


def _image(identifier: str) -> str:
    """The image's name in an identifier, whose slashes are escaped. Raises Refused (404): no image has another."""
    try:
        return check_image(decode(identifier))
    except Refused as refused:
        raise Refused(404, f"no such image: {refused.detail}") from None
