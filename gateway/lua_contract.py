"""Run the Lua twins of this folder in lupa, in the same LuaJIT that nginx has."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from gateway.cache_tag import separator
from gateway.contracts import UNREADABLE, BrokenLua, decode, encode, notes
from gateway.errors import Refused
from gateway.holding import Shape
from gateway.rules import Rules

lupa: Any = import_module("lupa.luajit21")  # nginx's kind of Lua; lupa's own types know only half of it

LUA_ROOT = Path(__file__).resolve().parent.parent  # the folder whose `gateway/` holds the twins

_MARKER_FIELDS = (b"base", b"source", b"etag", b"width", b"height", b"frames", b"modified")


class LuaContract:
    """The contract as nginx knows it: the .lua files below `root`, in LuaJIT, with hashes from Python.

    Raises BrokenLua where a file is missing or does not load.
    """

    def __init__(self, rules: Rules, root: Path | None = None) -> None:
        self._lua = lupa.LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
        self._lua.globals()[b"package"][b"path"] = f"{root or LUA_ROOT}/?.lua".encode()
        self._names, self._access, self._negotiate, self._holding, self._freshness, self._rules_of = (
            self._require(f"gateway.{module}")
            for module in ("names", "access", "negotiate", "holding", "freshness", "rules")
        )
        self._paths, self._marker, self._format_choice, self._temp_urls, self._media_types = (
            self._require(f"gateway.{module}")
            for module in ("paths", "marker", "format_choice", "temp_urls", "media_types")
        )
        crypto = {b"sha256_hex": _sha256_hex, b"hmac_sha256_base64url": _hmac_base64url, b"hmac_hex": _hmac_hex}
        self._crypto = self._lua.table_from(crypto)
        self._rules = self._call(self._rules_of, "load", self._table(rules.document()))

    def under(self, rules: Rules) -> LuaContract:
        """The contract under other rules, of the same loaded Lua."""
        other = copy(self)
        other._rules = self._call(self._rules_of, "load", self._table(rules.document()))
        return other

    def parse(self, path: str, query: str) -> Any:
        return self._call(self._names, "parse", path, query, self._rules)

    def print(self, name: Any) -> str:
        return self._text(self._names, "print", name, self._rules)

    def is_undecided(self, name: Any) -> bool:
        return self._call(self._names, "is_undecided", name[b"format"]) is True

    def signature(self, name: Any) -> Mapping[str, str]:
        signature = name[b"signature"]
        if lupa.lua_type(signature) != "table":
            raise BrokenLua("parse gives a name without a signature")
        return {decode(key): decode(value) for key, value in signature.items()}

    def decide(self, name: Any, format: str) -> Any:
        return self._call(self._names, "decide", name, format, self._rules)

    def disk_path(self, name: Any, *, ending: bool = False) -> str:
        return self._text(self._names, "disk_path", name, self._rules, self._crypto, ending)

    def marker_path(self, name: Any) -> str:
        return self._text(self._paths, "marker_path", name[b"image"], self._crypto)

    def smaller_path(self, name: Any) -> str:
        return self._text(self._paths, "smaller_path", name[b"image"], self._crypto)

    def marker(self, text: str) -> str:
        found = self._run(self._marker, "parse_marker", text)
        if found is None:
            return UNREADABLE
        ends = () if found[b"ends"] is None else (b"ends",)
        return " ".join(_word(found[key]) for key in (*_MARKER_FIELDS, *ends))

    def smaller(self, text: str) -> str:
        found = self._call(self._marker, "parse_smaller", text)
        return notes({decode(chosen): decode(smaller) for chosen, smaller in found.items()})

    def candidates(self, name: Any, accept: str, marker: str, smaller: str) -> list[str]:
        known = self._call(self._marker, "parse_marker", marker)
        noted = self._call(self._marker, "parse_smaller", smaller)
        bucket = self._negotiate[b"bucket"]
        found = self._call(
            self._format_choice,
            "candidates",
            name,
            known,
            accept,
            self._rules,
            lambda _, chosen: noted[chosen],
            bucket,
        )
        return [decode(one) for one in found.values()]

    def cache_control(self, name: Any, now: float, *, current: bool, ends: int | None = None) -> str:
        return self._text(self._freshness, "cache_control", name, self._rules, now, current, ends)

    def authorise(self, name: Any, now: float) -> None:
        if self._call(self._access, "authorise", name, self._rules, now, self._crypto) is not True:
            raise BrokenLua("authorise gives neither true nor an error")

    def sign(self, text: str, key: str, expires: int | None, more: str) -> str:
        return self._text(self._access, "sign", text, key, expires, more, self._crypto)

    def bucket(self, accept: str) -> str:
        return self._text(self._negotiate, "bucket", accept, self._rules[b"negotiate"])

    def fitting(self, name: Any, shape: Shape) -> list[str]:
        lua_shape = self._table(asdict(shape))
        found = self._call(self._holding, "fitting", name[b"recipe"], lua_shape, self._rules)
        return [decode(one[b"format"]) for one in found.values()]

    def escape(self, text: str) -> str:
        return self._text(self._names, "escape", text)

    def temp_url(self, method: str, path: str, query: str, keys: Sequence[str], now: int) -> str:
        module = self._temp_urls
        grant = self._call(module, "admit", method, path, query, self._table(keys), now, self._crypto)
        container, name, disposition = (decode(grant[key]) for key in (b"container", b"name", b"disposition"))
        kind = self._text(module, "media_type", name, self._rules)
        fresh = self._text(module, "cache_control", grant[b"expires"], self._rules[b"max_age"], now)
        return "\n".join((container, name, f"{grant[b'expires']:.0f}", disposition, kind, fresh))

    def media_type(self, head: str) -> str:
        return self._text(self._media_types, "media_type", head, self._rules)

    def cache_tags(self, image: str, header: str, longest: int) -> str:
        between = separator(header)
        return self._text(self._require("gateway.cache_tag"), "tags", image, longest, between, self._crypto)

    def disposition(self, name: Any, extension: str) -> str:
        module = self._require("gateway.save_as")
        return self._text(module, "disposition", name[b"image"], extension, name[b"signature"], self._rules)

    def _require(self, module: str) -> Any:
        try:
            return self._lua.require(module.encode())
        except lupa.LuaError as error:
            raise BrokenLua(f"{module} does not load: {_line(error)}") from None

    def _run(self, module: Any, function: str, *arguments: Any) -> Any:
        """All results."""
        given = (encode(one) if isinstance(one, str) else one for one in arguments)
        try:
            return module[function.encode()](*given)
        except (lupa.LuaError, TypeError) as error:
            raise BrokenLua(f"{function} does not run: {_line(error)}") from None

    def _call(self, module: Any, function: str, *arguments: Any) -> Any:
        """The first result. Raises Refused for `nil, status, detail`."""
        answer = self._run(module, function, *arguments)
        match answer:
            case (None, int(status), bytes(detail)):
                raise Refused(status, decode(detail))
            case None | (None, *_):
                raise BrokenLua(f"{function} gives neither a result nor an error")
        return answer[0] if isinstance(answer, tuple) else answer

    def _text(self, module: Any, function: str, *arguments: Any) -> str:
        answer = self._call(module, function, *arguments)
        if not isinstance(answer, bytes):
            raise BrokenLua(f"{function} gives no text")
        return decode(answer)

    def _table(self, value: Any) -> Any:
        """A JSON document as Lua tables."""
        if isinstance(value, str):
            return encode(value)
        if isinstance(value, Mapping):
            return self._lua.table_from({encode(key): self._table(one) for key, one in value.items()})
        if isinstance(value, Sequence):
            return self._lua.table_from([self._table(one) for one in value])
        return value


def _word(value: Any) -> str:
    """A text or a whole number of Lua's; anything else is spelled as Lua would not."""
    return decode(value) if isinstance(value, bytes) else repr(value)


def _sha256_hex(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()


def _hmac_base64url(key: bytes, message: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.new(key, message, hashlib.sha256).digest()).rstrip(b"=")


def _hmac_hex(name: bytes, key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, name.decode()).hexdigest().encode()


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]
