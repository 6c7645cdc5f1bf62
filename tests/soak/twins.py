"""Lua and Python read every request alike, over as many requests as are asked for."""

from __future__ import annotations

from dataclasses import replace

from gateway.contracts import PythonContract
from gateway.lua_contract import LuaContract
from gateway.questions import observe
from gateway.rules import Rules
from gateway.samples import requests
from tests.gateway.requests import RULES
from tests.soak.findings import Findings

BATCH = 1000  # requests made from one seed
EVERY_RULES = (
    replace(RULES, access="signed"),
    replace(RULES, access="presets"),
    Rules(out=("jpg", "png"), negotiate=(), default_format="auto", limits={"width": 10, "height": 20, "frames": 1}),
    replace(RULES, ignored_query=("utm_*", "fbclid")),
)
"""The rules that batches are read by, one after the other."""


def run(findings: Findings, count: int, first: int = 0) -> str:
    """Compare the twins on `count` requests, from number `first` on. Return a summary."""
    pairs = [(rules, LuaContract(rules), PythonContract(rules)) for rules in EVERY_RULES]
    valid = 0
    for batch in range(first // BATCH, -(-(first + count) // BATCH)):
        rules, lua, python = pairs[batch % len(pairs)]
        size = min(BATCH, first + count - batch * BATCH)
        for number, request in enumerate(requests(rules, size, findings.seed + batch), batch * BATCH):
            seen = observe(python, request, rules)
            valid += "path" in seen
            if (other := observe(lua, request, rules)) != seen:
                differing = {
                    key: (other.get(key), seen.get(key)) for key in seen | other if other.get(key) != seen.get(key)
                }
                findings.add(number, f"{request!r}\nLua, Python: {differing!r}", repr(request).encode())
        findings.progress((batch + 1) * BATCH)
    return f"{count} requests, {valid} of them valid: {findings.count} read differently"
