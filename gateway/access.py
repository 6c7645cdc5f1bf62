"""Authorise requests on the public port, and sign URLs. Twin of access.lua.

A signature is HMAC-SHA-256 over the canonical name and the time it ends, so it holds for every spelling of the
name and for no other name. It is not part of the name: signed or not, one derived image is one file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from gateway.errors import Refused
from gateway.names import Name
from gateway.presets import preset_recipes
from gateway.recipes import print_recipe
from gateway.rules import Rules
from gateway.save_as import signed_text

_MOST_DIGITS = 12  # of the end time: seconds since the epoch


def sign(name: str, key: str, expires: int | None = None, more: str = "") -> str:
    """The signature of a canonical name, base64url without padding; `expires` in seconds since the epoch, `more` what
    `save_as.signed_text` gives."""
    message = f"{name}\n{'' if expires is None else expires}{more}".encode()
    digest = hmac.new(key.encode(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def authorise(name: Name, rules: Rules, now: float) -> None:
    """Raise Refused unless the public port may answer this name at `now` (seconds since the epoch).

    401 where a signature is missing, 403 where it is wrong or has expired, or where only presets are served.
    """
    if name.is_meta and not rules.metadata:
        raise Refused(403, "metadata is not public here")
    if rules.access == "open":
        return
    if is_preset(name, rules):
        return
    if rules.access == "presets":
        raise Refused(403, "only presets are served here")
    _verify(name, rules, now)


def end_of(exp: str) -> int | None:
    """The end time that `exp` names, in seconds since the epoch; None where it is not a number of seconds."""
    return int(exp) if exp.isascii() and exp.isdigit() and len(exp) <= _MOST_DIGITS else None


def is_preset(name: Name, rules: Rules) -> bool:
    """Whether a preset expands to this name, in the format the name asks for."""
    return not name.is_meta and print_recipe(name.recipe) in preset_recipes(name.format, rules)


def _verify(name: Name, rules: Rules, now: float) -> None:
    signature, expires = name.signature.get("sig"), name.signature.get("exp")
    if signature is None:
        raise Refused(401, "sig: this name needs a signature, ?sig=KEYID.BASE64URL")
    end = None if expires is None else end_of(expires)
    if expires is not None and end is None:
        raise Refused(403, "exp: must be the end time in seconds since the epoch")
    key_id, _, given = signature.partition(".")
    key = rules.keys.get(key_id)
    expected = sign(str(name), key or "", end, signed_text(name.signature))
    if key is None or not hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape")):
        raise Refused(403, "sig: the signature is wrong for this name")
    if end is not None and end < now:
        raise Refused(403, "exp: the signature has expired")
