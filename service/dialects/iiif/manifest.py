"""A manifest of the Presentation API 3.0: the images of a folder, one canvas each, as viewers open them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from service.dialects.iiif.size import Pixels

CONTEXT = "http://iiif.io/api/presentation/3/context.json"


def manifest(uri: str, label: str, canvases: Iterable[dict[str, Any]], rights: str) -> dict[str, Any]:
    """The manifest at `uri`."""
    return {
        **{"@context": CONTEXT, "id": uri, "type": "Manifest", "label": {"none": [label]}},
        **({"rights": rights} if rights else {}),
        "items": list(canvases),
    }


def canvas(uri: str, label: str, image: str, size: Pixels, largest: Pixels, profile: str) -> dict[str, Any]:
    """A canvas at `uri` of the image at the base URI `image`: its `size` in pixels, and the `largest` that is made."""
    service = [{"id": image, "type": "ImageService3", "profile": profile}]
    body = {"id": f"{image}/full/max/0/default.jpg", "type": "Image", "format": "image/jpeg"}
    pixels = {"width": largest[0], "height": largest[1]}
    painting = {"id": f"{uri}/painting", "type": "Annotation", "motivation": "painting", "target": uri}
    return {
        **{"id": uri, "type": "Canvas", "label": {"none": [label]}, "width": size[0], "height": size[1]},
        "items": [
            {
                **{"id": f"{uri}/page", "type": "AnnotationPage"},
                "items": [{**painting, "body": {**body, **pixels, "service": service}}],
            }
        ],
    }
