"""The exceptions of the API itself, beside those of the contract, the stores and the engine.

ApiError
├── DigestMismatch    the body is not what its digest says            (400)
├── Unauthenticated   no token, or none that is known                 (401)
├── Forbidden         the token lacks a scope                         (403)
├── CrossSite         a web page of another origin sent it            (403)
├── UnknownHost       its Host is a name that is not ours             (403)
├── SlowSender        the body comes too slowly, or not at all        (408)
├── Unmet             a precondition of the request does not hold     (412)
├── TooMany           more images than one request may ask for        (413)
└── UnsupportedBody   a body that is encoded or typed in another way  (415)
"""

from __future__ import annotations


class ApiError(Exception):
    """A request that the API refuses. The text is fit for the client."""


class DigestMismatch(ApiError):
    pass


class Unauthenticated(ApiError):
    pass


class Forbidden(ApiError):
    pass


class CrossSite(ApiError):
    pass


class UnknownHost(ApiError):
    pass


class SlowSender(ApiError):
    pass


class Unmet(ApiError):
    pass


class TooMany(ApiError):
    pass


class UnsupportedBody(ApiError):
    pass
