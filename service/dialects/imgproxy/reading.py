"""Read the options of an imgproxy URL: what each word sets, and the words that are refused by name.

The words and their arguments are those of https://docs.imgproxy.net/usage/processing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.errors import Refused, quote
from service.dialects.imgproxy import values
from service.dialects.imgproxy.options import COMPASS, RESIZING, Gravity, Options
from service.dialects.imgproxy.refusals import REFUSED

Arguments = Sequence[str]
Changes = dict[str, Any]
Presets = Mapping[str, str]


def read_options(parts: Sequence[str], presets: Presets, start: Options | None = None) -> Options:
    """The options of the URL's parts, such as `rs:fit:300:200`, on top of `start`; of two of a kind the later counts.

    Raises Refused (404) for an unknown word, wrong arguments, and what has no equal here.
    """
    return _apply(start or Options(), parts, presets, ())


def _apply(options: Options, parts: Sequence[str], presets: Presets, within: tuple[str, ...]) -> Options:
    for part in parts:
        word, *arguments = part.split(":")
        if word in PRESET:
            for name in arguments:
                options = _preset(options, name, presets, within)
            continue
        if word in REFUSED:
            raise Refused(404, f"{word}: {REFUSED[word]}")
        if word not in WORDS:
            raise Refused(404, f"{quote(word)}: no such processing option")
        options = replace(options, **WORDS[word](options, word, arguments))
    return options


def _preset(options: Options, name: str, presets: Presets, within: tuple[str, ...]) -> Options:
    if name not in presets:
        known = ", ".join(sorted(presets)) or "none"
        raise Refused(404, f"pr:{quote(name)}: no such preset in dialects.imgproxy.presets; there are {known}")
    if name in within:
        return options
    return _apply(options, presets[name].split("/"), presets, (*within, name))


def _resize(options: Options, word: str, arguments: Arguments) -> Changes:
    values.at_most(word, arguments, 8)
    changes: Changes = {}
    if arguments[0]:
        changes = _resizing(options, word, arguments[:1])
    return changes | _size(options, word, arguments[1:])


def _size(options: Options, word: str, arguments: Arguments) -> Changes:
    values.at_most(word, arguments, 7)
    changes: Changes = {}
    for key, argument in zip(("width", "height"), arguments, strict=False):
        if argument:
            changes[key] = values.whole(word, argument)
    if len(arguments) > 2 and arguments[2]:
        changes["enlarge"] = values.truth(word, arguments[2])
    if len(arguments) > 3 and arguments[3]:
        changes |= _extend("extend")(options, word, arguments[3:])
    return changes


def _resizing(_: Options, word: str, arguments: Arguments) -> Changes:
    return {"resizing": values.word(word, arguments, RESIZING)}


def _whole(key: str) -> Callable[[Options, str, Arguments], Changes]:
    return lambda _, word, arguments: {key: values.whole(word, values.only(word, arguments))}


def _positive(key: str) -> Callable[[Options, str, Arguments], Changes]:
    return lambda _, word, arguments: {key: values.positive(word, values.only(word, arguments))}


def _truth(key: str) -> Callable[[Options, str, Arguments], Changes]:
    return lambda _, word, arguments: {key: values.truth(word, values.only(word, arguments))}


def _zoom(_: Options, word: str, arguments: Arguments) -> Changes:
    values.at_most(word, arguments, 2)
    factors = [values.positive(word, argument) for argument in arguments]
    return {"zoom": (factors[0], factors[-1])}


def _gravity(_: Options, word: str, arguments: Arguments) -> Changes:
    return {"gravity": read_gravity(word, arguments)}


def read_gravity(word: str, arguments: Arguments, smart: bool = True) -> Gravity:
    """A gravity with its offsets: `so:0:10`, `fp:0.5:0.3`, `sm`. Raises Refused."""
    kinds = (*COMPASS, "fp", *(("sm",) if smart else ()))
    kind = values.word(word, arguments[:1], kinds)
    values.at_most(word, arguments, 1 if kind == "sm" else 3)
    numbers = [values.number(word, argument) for argument in arguments[1:]]
    if kind == "fp" and (len(numbers) != 2 or not all(0 <= number <= 1 for number in numbers)):
        raise Refused(404, f"{word}: fp must have a point, X:Y with X and Y from 0 to 1")
    return Gravity(kind, *numbers)


def _extend(key: str) -> Callable[[Options, str, Arguments], Changes]:
    def read(_: Options, word: str, arguments: Arguments) -> Changes:
        values.at_most(word, arguments, 4)
        gravity = read_gravity(word, arguments[1:], smart=False) if len(arguments) > 1 else Gravity()
        return {key: gravity if values.truth(word, arguments[0]) else None}

    return read


def _crop(_: Options, word: str, arguments: Arguments) -> Changes:
    sizes = [values.not_negative(word, argument) for argument in arguments[:2]]
    gravity = read_gravity(word, arguments[2:]) if len(arguments) > 2 else None
    return {"crop": (sizes[0], sizes[1] if len(sizes) > 1 else 0.0), "crop_gravity": gravity}


def _trim(_: Options, word: str, arguments: Arguments) -> Changes:
    values.at_most(word, arguments, 4)
    if len(arguments) > 1 and arguments[1]:
        raise Refused(404, f"{word}: the colour of the border has no equal here; the corner's is taken")
    if any(argument and values.truth(word, argument) for argument in arguments[2:]):
        raise Refused(404, f"{word}: equal_hor and equal_ver have no equal here")
    return {"trim": values.not_negative(word, arguments[0]) if arguments[0] else None}


def _padding(options: Options, word: str, arguments: Arguments) -> Changes:
    values.at_most(word, arguments, 4)
    sides = [values.whole(word, argument) if argument else None for argument in arguments]
    top, right, bottom, left = (*sides, None, None, None)[:4]
    top = options.padding[0] if top is None else top
    right = top if right is None else right
    return {"padding": (top, right, top if bottom is None else bottom, right if left is None else left)}


def _rotate(_: Options, word: str, arguments: Arguments) -> Changes:
    angle = values.integer(word, values.only(word, arguments))
    if angle % 90:
        raise Refused(404, f"{word}: must be a multiple of 90")
    return {"rotate": angle % 360}


def _flip(options: Options, word: str, arguments: Arguments) -> Changes:
    values.at_most(word, arguments, 2)
    given = [values.truth(word, argument) if argument else None for argument in (*arguments, "")[:2]]
    return {"flip": tuple(old if new is None else new for old, new in zip(options.flip, given, strict=True))}


def _background(_: Options, word: str, arguments: Arguments) -> Changes:
    return {"background": None if list(arguments) == [""] else values.colour(word, arguments)}


def _quality(_: Options, word: str, arguments: Arguments) -> Changes:
    return {"quality": values.quality(word, values.only(word, arguments))}


def _format_quality(options: Options, word: str, arguments: Arguments) -> Changes:
    if len(arguments) % 2:
        raise Refused(404, f"{word}: must be pairs, FORMAT:QUALITY")
    pairs = zip(arguments[::2], arguments[1::2], strict=True)
    found = {values.format_name(one): values.quality(word, quality) for one, quality in pairs}
    return {"format_quality": {**options.format_quality, **found}}


def _format(_: Options, word: str, arguments: Arguments) -> Changes:
    return {"format": values.only(word, arguments)}


def _only(value: bool, reason: str) -> Callable[[Options, str, Arguments], Changes]:
    """A switch that can be set one way alone."""

    def read(_: Options, word: str, arguments: Arguments) -> Changes:
        if values.truth(word, values.only(word, arguments)) is not value:
            raise Refused(404, f"{word}: {reason}")
        return {}

    return read


def _kept_profile(_: Options, word: str, arguments: Arguments) -> Changes:
    return {"keep_profile": not values.truth(word, values.only(word, arguments))}


def _ignored(_: Options, word: str, arguments: Arguments) -> Changes:
    values.only(word, arguments)
    return {}


PRESET = ("preset", "pr")

_ROWS: Sequence[tuple[Sequence[str], Callable[[Options, str, Arguments], Changes]]] = (
    (("resize", "rs"), _resize),
    (("size", "s"), _size),
    (("resizing_type", "rt"), _resizing),
    (("width", "w"), _whole("width")),
    (("height", "h"), _whole("height")),
    (("min-width", "min_width", "mw"), _whole("min_width")),
    (("min-height", "min_height", "mh"), _whole("min_height")),
    (("zoom", "z"), _zoom),
    (("dpr",), _positive("dpr")),
    (("enlarge", "el"), _truth("enlarge")),
    (("extend", "ex"), _extend("extend")),
    (("extend_aspect_ratio", "extend_ar", "exar"), _extend("extend_ratio")),
    (("gravity", "g"), _gravity),
    (("crop", "c"), _crop),
    (("trim", "t"), _trim),
    (("padding", "pd"), _padding),
    (("auto_rotate", "ar"), _only(True, "0 has no equal here: images are always upright")),
    (("rotate", "rot"), _rotate),
    (("flip", "fl"), _flip),
    (("background", "bg"), _background),
    (("blur", "bl"), _positive("blur")),
    (("quality", "q"), _quality),
    (("format_quality", "fq"), _format_quality),
    (("max_bytes", "mb"), _whole("max_bytes")),
    (("format", "f", "ext"), _format),
    (("strip_metadata", "sm"), _only(True, "0 is refused: no metadata leaves")),
    (("keep_copyright", "kcr"), _truth("keep_copyright")),
    (("strip_color_profile", "scp"), _kept_profile),
    (("enforce_thumbnail", "eth"), _only(False, "an embedded thumbnail has no equal here")),
    (("return_attachment", "att"), _only(False, "saving as a file has no equal here")),
    (("raw",), _only(False, "1 is refused: originals do not leave, nor their metadata")),
    (("cachebuster", "cb"), _ignored),
    (("expires", "exp"), _whole("expires")),
)

WORDS = {word: reader for words, reader in _ROWS for word in words}
