"""The rules of the public port: it has a ladder of widths where one is configured, and the rest of the service none."""

from __future__ import annotations

from dataclasses import replace

from gateway.config import ladder_of
from gateway.rules import Rules
from service.api.http.context import Context


def public_rules(context: Context) -> Rules:
    """The rules by which nginx reads requests, as `gateway.config.rules_of` gives them."""
    return replace(context.rules, ladder=ladder_of(context.config))


def public_context(context: Context) -> Context:
    """The parts of the service, for handlers of the public port."""
    return replace(context, rules=public_rules(context))
