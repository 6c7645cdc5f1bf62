"""XMP (ISO 16684-1): the properties that provenance needs, read with a bound on the work, and written."""

from __future__ import annotations

from contextlib import suppress
from xml.parsers import expat

from service.engine.provenance import source_types
from service.engine.provenance.texts import LONGEST as LONGEST_TEXT
from service.engine.provenance.texts import plain

LONGEST = 2**20
"""Bytes of a packet that are read."""
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

_EXTENSION, _PHOTOSHOP = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "http://ns.adobe.com/photoshop/1.0/"
_CREDIT, _CREATOR = f"{_PHOTOSHOP} Credit", "http://purl.org/dc/elements/1.1/ creator"
_TYPES = (f"{_EXTENSION} DigitalSourceType", f"{_EXTENSION} DigitalSourcefileType")  # today's name, that of 2008
_WANTED = {*_TYPES, _CREDIT, _CREATOR}

_QUOTED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
"""In the value of an attribute (XML 1.0, 3.1 and 3.3.3). `xml.sax.saxutils` does it too, and loads HTTP and TLS."""
_DEEPEST, _MOST, _MOST_VALUES = 64, 50_000, 16
_SUBJECT, _PROPERTY, _LISTED = 1, 2, 4  # levels below rdf:RDF: its subject, a property of that, an entry of a list


class Packet:
    """`source_type`, `credit` and `creators` of an XMP packet; what follows damage, or a bound, is not seen."""

    def __init__(self, data: bytes) -> None:
        self._found: dict[str, list[str]] = {name: [] for name in _WANTED}
        self._depth = self._elements = self._rdf = 0
        self._property, self._text = "", ""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse  # so that there are no entities
        with suppress(expat.ExpatError, _Refused, ValueError, LookupError):  # an unknown encoding among them
            parser.Parse(data.strip(b"\0 \t\r\n"), True)

    @property
    def source_type(self) -> str | None:
        return next(
            (uri for name in _TYPES for text in self._found[name] if (uri := source_types.canonical(text))), None
        )

    @property
    def credit(self) -> str | None:
        return next(iter(self._found[_CREDIT]), None)

    @property
    def creators(self) -> tuple[str, ...]:
        return tuple(self._found[_CREATOR])

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > _DEEPEST or self._elements > _MOST:
            raise _Refused
        if not self._rdf:
            self._rdf = self._depth if name == f"{RDF} RDF" else 0
            return
        level = self._depth - self._rdf
        if level == _SUBJECT:
            for key in _WANTED & attributes.keys():
                self._add(key, attributes[key])
        elif level == _PROPERTY and name in _WANTED:
            self._property = name
            self._add(name, attributes.get(f"{RDF} resource", ""))
        self._text = ""

    def _end(self, _name: str) -> None:
        level = self._depth - self._rdf
        if self._property and level in (_PROPERTY, _LISTED):
            self._add(self._property, self._text)
        if level == _PROPERTY:
            self._property = ""
        self._text = ""
        self._rdf = 0 if level == 0 else self._rdf
        self._depth -= 1

    def _characters(self, text: str) -> None:
        if self._property and len(self._text) < 4 * LONGEST_TEXT:
            self._text += text

    def _add(self, name: str, text: str) -> None:
        value = plain(text)
        if value and len(self._found[name]) < _MOST_VALUES:
            self._found[name].append(value)

    def _refuse(self, *_: object) -> None:
        raise _Refused


class _Refused(Exception):
    """The packet is no XMP, or takes too much work."""


def written(source_type: str | None, credit: str | None) -> bytes:
    """Return a packet of these properties, and nothing else."""
    given = {"Iptc4xmpExt:DigitalSourceType": source_type, "photoshop:Credit": credit}
    attributes = "".join(f' {name}="{value.translate(_QUOTED)}"' for name, value in given.items() if value)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about=""'
        f' xmlns:Iptc4xmpExt="{_EXTENSION}" xmlns:photoshop="{_PHOTOSHOP}"{attributes}/></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="r"?>'
    ).encode()
