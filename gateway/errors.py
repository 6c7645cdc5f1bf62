"""The exceptions of the contract.

ContractError
└── Refused     the request is malformed or not allowed; carries its HTTP status
"""

from __future__ import annotations

LONGEST_QUOTE = 40  # bytes


class ContractError(Exception):
    """The base of what `gateway` raises on purpose."""


class Refused(ContractError):
    """A request that is malformed (400), lacks a signature (401), is not allowed (403), or whose URL has ended (410).

    `detail` is fit for the client: it names the key or part that was wrong and what would be right.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def quote(text: str) -> str:
    """`text` cut and cleaned for an error: at most 40 bytes, each that is not printable ASCII a question mark."""
    raw = text.encode("utf-8", "surrogateescape")
    cleaned = "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in raw[:LONGEST_QUOTE])
    return cleaned + ("..." if len(raw) > LONGEST_QUOTE else "")
