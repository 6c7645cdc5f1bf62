"""The units of the configuration: sizes, times and counts as people write them, with the types that read them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

SIZES = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "kB": 10**3, "MB": 10**6, "GB": 10**9}
TIMES = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
COUNTS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)")
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


def _reader(units: Mapping[str, float], what: str) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"must be {what}")
        match = _QUANTITY.fullmatch(str(value))
        if match is None or match[2] not in units:
            raise ValueError(f"must be {what}")
        return float(match[1]) * units[match[2]]

    return read


def _whole(units: Mapping[str, float], what: str) -> BeforeValidator:
    read = _reader(units, what)
    return BeforeValidator(lambda value: round(read(value)))


def _schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "number"], "pattern": pattern, "examples": [example]})


def _units_pattern(units: Mapping[str, float]) -> str:
    return f"^[0-9]+(\\.[0-9]+)? ?({'|'.join(units)})$"


@dataclass(frozen=True)
class Printed:
    """How a value of this type is written back into a configuration file."""

    write: Callable[[Any], str]


def print_size(value: int) -> str:
    """A size in the largest binary unit that gives a whole number."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value and value % SIZES[unit] == 0:
            return f"{value // SIZES[unit]}{unit}"
    return str(value)


def print_seconds(value: float) -> str:
    """A time in the largest unit that gives a whole number."""
    if value == 0:
        return "0s"
    for unit in ("d", "h", "m", "s"):
        if value and value % TIMES[unit] == 0:
            return f"{int(value // TIMES[unit])}{unit}"
    return f"{round(value * 1000)}ms"


def print_count(value: int) -> str:
    """A number in the largest unit that gives a whole number."""
    for unit in ("G", "M"):
        if value and value % COUNTS[unit] == 0:
            return f"{value // COUNTS[unit]}{unit}"
    return str(value)


Size = Annotated[
    int,
    _whole(SIZES, "a size in bytes such as 512KiB, 100MiB or 10GiB"),
    _schema(_units_pattern(SIZES), "10GiB"),
    Printed(print_size),
]
read_seconds = _reader(TIMES, "a time such as 500ms, 30s or 1h")
"""Seconds of a time with its unit, or of a number. Raises ValueError."""

Seconds = Annotated[
    float,
    BeforeValidator(read_seconds),
    _schema(_units_pattern(TIMES), "30s"),
    Printed(print_seconds),
]
Count = Annotated[
    int,
    _whole(COUNTS, "a number such as 500, 10k or 100M"),
    _schema(_units_pattern(COUNTS), "100M"),
    Printed(print_count),
]


def _listen(value: Any) -> str:
    match = _LISTEN.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    return match[0]


Listen = Annotated[str, BeforeValidator(_listen)]


def split_listen(listen: str) -> tuple[str, int]:
    """Host (without brackets) and port of a checked `Listen`."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def is_loopback(listen: str) -> bool:
    """Whether only this machine can reach the address."""
    host, _ = split_listen(listen)
    return host in ("localhost", "::1") or host.startswith("127.")


def url_of(listen: str) -> str:
    """The URL at which this machine reaches a checked `Listen`: of a wildcard such as 0.0.0.0, that of loopback."""
    host, port = split_listen(listen)
    try:
        address = ip_address(host)
    except ValueError:  # a name
        return f"http://{host}:{port}"
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")
    return f"http://{address if address.version == 4 else f'[{address}]'}:{port}"


def _network(value: Any) -> str:
    what = "must be an address or a network, such as 10.0.0.7, 10.0.0.0/8 or fd00::/8"
    if not isinstance(value, str) or "%" in value:  # a zone means something on one machine only
        raise ValueError(what)
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise ValueError(what) from None
    if network.prefixlen == 0:
        raise ValueError("must not be every address there is: any client could then claim any address")
    if ip_address(value.partition("/")[0]) != network.network_address:
        raise ValueError(f"{value} has bits beyond its prefix: must be {network}, or have a longer one")
    return str(network)


Network = Annotated[str, BeforeValidator(_network), WithJsonSchema({"type": "string", "examples": ["10.0.0.0/8"]})]
"""An address or a network, as ADDRESS/PREFIX."""
