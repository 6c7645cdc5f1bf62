"""The contract as something to ask, in either language: the modules of this folder, and their Lua twins inside lupa."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from gateway import access, freshness, holding, media_types, names, negotiate, temp_urls
from gateway.errors import ContractError, Refused
from gateway.holding import Shape
from gateway.names import Name
from gateway.rules import Rules

lupa: Any = import_module("lupa.luajit21")  # nginx's kind of Lua; lupa's own types know only half of it

LUA_ROOT = Path(__file__).resolve().parent.parent  # the folder whose `gateway/` holds the twins


class BrokenLua(ContractError):
    """The Lua does not load or does not run: it has a mistake that is not a matter of the contract."""


class Contract(Protocol):
    """What both languages answer. A name is opaque: only the contract that made it can read it.

    Text is `str`, in which a byte that is not UTF-8 is a surrogate (`surrogateescape`). All but `bucket`, `escape`,
    `media_type` and `sign` raise Refused; Lua's raises BrokenLua too.
    """

    def parse(self, path: str, query: str) -> Any: ...
    def print(self, name: Any) -> str: ...
    def is_undecided(self, name: Any) -> bool: ...
    def signature(self, name: Any) -> Mapping[str, str]: ...
    def decide(self, name: Any, format: str) -> Any: ...
    def disk_path(self, name: Any) -> str: ...
    def marker_path(self, name: Any) -> str: ...
    def cache_control(self, name: Any, now: float, *, current: bool) -> str: ...
    def authorise(self, name: Any, now: float) -> None: ...
    def sign(self, text: str, key: str, expires: int | None) -> str: ...
    def bucket(self, accept: str) -> str: ...
    def fitting(self, name: Any, shape: Shape) -> list[str]: ...
    def escape(self, text: str) -> str: ...
    def temp_url(self, method: str, path: str, query: str, keys: Sequence[str], now: int) -> str: ...
    def media_type(self, head: str) -> str: ...


class PythonContract:
    """The contract as the service knows it."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def parse(self, path: str, query: str) -> Name:
        return names.parse(path, query, self._rules)

    def print(self, name: Name) -> str:
        return str(name)

    def is_undecided(self, name: Name) -> bool:
        return not name.decided

    def signature(self, name: Name) -> Mapping[str, str]:
        return name.signature

    def decide(self, name: Name, format: str) -> Name:
        return names.decide(name, format, self._rules)

    def disk_path(self, name: Name) -> str:
        return names.disk_path(name)

    def marker_path(self, name: Name) -> str:
        return names.marker_path(name.image)

    def cache_control(self, name: Name, now: float, *, current: bool) -> str:
        return freshness.cache_control(name, self._rules, now, current=current)

    def authorise(self, name: Name, now: float) -> None:
        access.authorise(name, self._rules, now)

    def sign(self, text: str, key: str, expires: int | None) -> str:
        return access.sign(text, key, expires)

    def bucket(self, accept: str) -> str:
        return negotiate.bucket(accept, self._rules.negotiate)

    def fitting(self, name: Name, shape: Shape) -> list[str]:
        return holding.fitting(name.recipe, shape, self._rules)

    def escape(self, text: str) -> str:
        return names.escape(text)

    def temp_url(self, method: str, path: str, query: str, keys: Sequence[str], now: int) -> str:
        """All that a temporary URL gives: what is sent, as what, and for how long, a line each."""
        grant = temp_urls.admit(method, path, query, keys, now)
        kind = temp_urls.media_type(grant.name)
        fresh = temp_urls.cache_control(grant.expires, self._rules.max_age, now)
        return "\n".join((grant.container, grant.name, str(grant.expires), grant.disposition, kind, fresh))

    def media_type(self, head: str) -> str:
        return media_types.media_type(_encode(head))


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
        self._temp_urls, self._media_types = (
            self._require(f"gateway.{module}") for module in ("temp_urls", "media_types")
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
        return {_decode(key): _decode(value) for key, value in signature.items()}

    def decide(self, name: Any, format: str) -> Any:
        return self._call(self._names, "decide", name, format, self._rules)

    def disk_path(self, name: Any) -> str:
        return self._text(self._names, "disk_path", name, self._rules, self._crypto)

    def marker_path(self, name: Any) -> str:
        return self._text(self._names, "marker_path", name[b"image"], self._crypto)

    def cache_control(self, name: Any, now: float, *, current: bool) -> str:
        return self._text(self._freshness, "cache_control", name, self._rules, now, current)

    def authorise(self, name: Any, now: float) -> None:
        if self._call(self._access, "authorise", name, self._rules, now, self._crypto) is not True:
            raise BrokenLua("authorise gives neither true nor an error")

    def sign(self, text: str, key: str, expires: int | None) -> str:
        return self._text(self._access, "sign", text, key, expires, self._crypto)

    def bucket(self, accept: str) -> str:
        return self._text(self._negotiate, "bucket", accept, self._rules[b"negotiate"])

    def fitting(self, name: Any, shape: Shape) -> list[str]:
        lua_shape = self._table(asdict(shape))
        found = self._call(self._holding, "fitting", name[b"recipe"], lua_shape, self._rules)
        return [_decode(one[b"format"]) for one in found.values()]

    def escape(self, text: str) -> str:
        return self._text(self._names, "escape", text)

    def temp_url(self, method: str, path: str, query: str, keys: Sequence[str], now: int) -> str:
        module = self._temp_urls
        grant = self._call(module, "admit", method, path, query, self._table(keys), now, self._crypto)
        container, name, disposition = (_decode(grant[key]) for key in (b"container", b"name", b"disposition"))
        kind = self._text(module, "media_type", name, self._rules)
        fresh = self._text(module, "cache_control", grant[b"expires"], self._rules[b"max_age"], now)
        return "\n".join((container, name, f"{grant[b'expires']:.0f}", disposition, kind, fresh))

    def media_type(self, head: str) -> str:
        return self._text(self._media_types, "media_type", head, self._rules)

    def _require(self, module: str) -> Any:
        try:
            return self._lua.require(module.encode())
        except lupa.LuaError as error:
            raise BrokenLua(f"{module} does not load: {_line(error)}") from None

    def _call(self, module: Any, function: str, *arguments: Any) -> Any:
        """The first result. Raises Refused for `nil, status, detail`."""
        given = (_encode(one) if isinstance(one, str) else one for one in arguments)
        try:
            answer = module[function.encode()](*given)
        except (lupa.LuaError, TypeError) as error:
            raise BrokenLua(f"{function} does not run: {_line(error)}") from None
        match answer:
            case (None, int(status), bytes(detail)):
                raise Refused(status, _decode(detail))
            case None | (None, *_):
                raise BrokenLua(f"{function} gives neither a result nor an error")
        return answer[0] if isinstance(answer, tuple) else answer

    def _text(self, module: Any, function: str, *arguments: Any) -> str:
        answer = self._call(module, function, *arguments)
        if not isinstance(answer, bytes):
            raise BrokenLua(f"{function} gives no text")
        return _decode(answer)

    def _table(self, value: Any) -> Any:
        """A JSON document as Lua tables."""
        if isinstance(value, str):
            return _encode(value)
        if isinstance(value, Mapping):
            return self._lua.table_from({_encode(key): self._table(one) for key, one in value.items()})
        if isinstance(value, Sequence):
            return self._lua.table_from([self._table(one) for one in value])
        return value


def _sha256_hex(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()


def _hmac_base64url(key: bytes, message: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.new(key, message, hashlib.sha256).digest()).rstrip(b"=")


def _hmac_hex(name: bytes, key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, name.decode()).hexdigest().encode()


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]
