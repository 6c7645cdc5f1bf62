"""IPTC's digital source types (https://cv.iptc.org/newscodes/digitalsourcetype/), and those that C2PA adds."""

from __future__ import annotations

import re

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
C2PA = "http://c2pa.org/digitalsourcetype/"

_TERMS = frozenset((
    "digitalCapture", "computationalCapture", "multiFrameComputationalCapture", "negativeFilm", "positiveFilm", "print",
    "minorHumanEdits", "humanEdits", "compositeCapture", "algorithmicallyEnhanced", "softwareImage", "digitalArt",
    "digitalCreation", "dataDrivenMedia", "trainedAlgorithmicMedia", "algorithmicMedia", "screenCapture",
    "virtualRecording", "composite", "compositeSynthetic", "compositeWithTrainedAlgorithmicMedia",
))  # fmt: skip
"""What may stand without its vocabulary; a URI may end in another term, since the vocabulary grows."""

_URI = re.compile(r"https?://(cv\.iptc\.org/newscodes|c2pa\.org)/digitalsourcetype/([A-Za-z][A-Za-z0-9]{1,63})/?")
_SPELLED = {"cv.iptc.org/newscodes": IPTC, "c2pa.org": C2PA}


def canonical(text: object) -> str | None:
    """Return the URI of a source type, given as its URI or as a term of IPTC alone; None for anything else."""
    if not isinstance(text, str):
        return None
    text = text.strip()
    if text in _TERMS:
        return IPTC + text
    found = _URI.fullmatch(text)
    return _SPELLED[found[1]] + found[2] if found else None
