"""Translate pydantic's errors into messages that say what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gateway.units import Printed

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "list_type": "must be a list, such as [a, b]",
    "dict_type": "must be a mapping, such as {{a: b}}",
    "model_type": "must be a mapping of options",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must hold at least {min_length}",
    "too_long": "must hold at most {max_length}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "value_error": "{error}",
}


@dataclass(frozen=True)
class Wanted:
    """What a text of this type must be, where only a pattern knows it."""

    text: str


def explain(detail: ErrorDetails, field: FieldInfo | None = None) -> str:
    """What is wrong with a value, as a clause such as `must be a whole number`. `field` is where it was to go: it tells
    how bounds are written, and what its pattern means."""
    kind, context = detail["type"], dict(detail.get("ctx", {}))
    if kind in ("too_short", "string_too_short") and context["min_length"] == 1:
        return "must not be empty"
    for mark in field.metadata if field else ():
        if isinstance(mark, Wanted) and kind == "string_pattern_mismatch":
            return f"must be {mark.text}"
        if isinstance(mark, Printed):
            context |= {bound: mark.write(context[bound]) for bound in ("gt", "ge", "lt", "le") if bound in context}
    if "expected" in context:
        context["expected"] = str(context["expected"]).replace("'", "")
    words = _WORDS.get(kind)
    text = words.format_map(context) if words else detail["msg"]
    return text[0].lower() + text[1:]
