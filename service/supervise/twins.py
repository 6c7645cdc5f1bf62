"""Compare the Lua that nginx loads with the service's Python before a start, so that no request means two things.

A comparison that found nothing is remembered in the runtime folder, under a hash of both sides and of the rules: the
next start with the same of them compares nothing.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib import metadata
from pathlib import Path

import gateway
from gateway.config import rules_of
from gateway.rules import Rules
from gateway.settings import Config
from service.runtime.naming import named
from service.runtime.paths import paths_of
from service.supervise import nginx_conf

PROOF = "twins.proof"  # in the runtime folder: the hash of what was compared last
_SIDES = ("*.py", "*.lua", "*.json")


class TwinsDiffer(Exception):
    """Lua and Python read a request differently; the text names the request and both readings."""


def prove(config: Config) -> None:
    """Compare the twins under the configuration's rules, unless that is remembered. Raises TwinsDiffer, OSError."""
    rules, proof = rules_of(config), paths_of(config).runtime / PROOF
    state = fingerprint(rules)
    if proof.exists() and proof.read_text("ascii", "replace") == state:
        return
    from gateway import checks  # noqa: PLC0415  # a start that compares nothing needs no Lua

    difference = checks.prove(rules, nginx_conf.lua_root())
    if difference is not None:
        remedy = "restore gateway/ from the release, or change both twins alike"
        raise TwinsDiffer(f"{difference} [{nginx_conf.lua_root() / 'gateway'}]: {remedy}")
    with named(proof):
        proof.write_text(state, "ascii")


def fingerprint(rules: Rules) -> str:
    """The hash of all that a comparison depends on: both sides as they are installed, what runs them, the rules."""
    folders = {Path(str(gateway.__file__)).parent, nginx_conf.lua_root() / "gateway"}
    versions = f"{sys.version} {metadata.version('lupa')}"
    digest = hashlib.sha256(f"{versions}\n{json.dumps(rules.document(), sort_keys=True)}".encode())
    for file in sorted(file for folder in folders for side in _SIDES for file in folder.glob(side)):
        data = file.read_bytes()
        digest.update(f"\n{file} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()
