"""The options of messages to others after a change: webhooks, and a CDN."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from gateway.section import Secret, Section
from gateway.standard_webhooks import SECRET, key_of
from gateway.units import Seconds

ChangeKind = Literal["created", "replaced", "deleted", "purged"]
KINDS: tuple[ChangeKind, ...] = ("created", "replaced", "deleted", "purged")

_LABEL = "[A-Za-z0-9_-]{1,63}"
_URL = re.compile(rf"https?://({_LABEL}(\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?(/[!-~]*)?")


def _target(value: Any) -> Any:
    if isinstance(value, str) and _URL.fullmatch(value) and "#" not in value:
        _ = urlsplit(value).port  # raises ValueError where it is none
        return value
    raise ValueError("must be a URL such as https://example.org/hook, without a user or a fragment")


Target = Annotated[str, BeforeValidator(_target)]


class Webhook(Section):
    """A receiver of events."""

    url: Target = Field(description="where events are posted")
    secret: Secret = Field(description=f"signs them by Standard Webhooks: {SECRET}")
    secret_2: Secret | None = Field(None, description="a second secret that signs them too, for rotation")
    kinds: list[ChangeKind] = Field(list(KINDS), description="of changes that are posted to it", min_length=1)

    @field_validator("secret", "secret_2")
    @classmethod
    def _check_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            key_of(secret.get_secret_value())
        return secret


CDN_NEEDS = {
    "none": (),
    "fastly": ("service", "token"),
    "cloudflare": ("zone", "token"),
    "varnish": ("urls",),
    "http": ("urls",),
}
"""The options that each kind of CDN cannot do without."""


class Cdn(Section):
    """A CDN that hears which images were replaced, deleted or purged, by their tags."""

    kind: Literal["none", "fastly", "cloudflare", "varnish", "http"] = Field(
        "none", description="none, fastly, cloudflare, varnish or http (a POST of JSON)"
    )
    urls: list[Target] = Field(
        [], description="of each Varnish, or of each receiver of http; else in place of the provider's API"
    )
    service: str = Field("", description="Fastly: the id of the service", pattern=r"^[A-Za-z0-9_-]{0,128}$")
    zone: str = Field("", description="Cloudflare: the id of the zone", pattern=r"^[A-Za-z0-9_-]{0,128}$")
    token: Secret | None = Field(None, description="Fastly-Key of Fastly; the bearer token of the others")
    soft: bool = Field(False, description="Fastly, Varnish: mark as stale instead of removing")
    timeout: Seconds = Field(10.0, description="of one request", gt=0)

    @field_validator("token")
    @classmethod
    def _check_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token and not ((text := token.get_secret_value()) and text.isascii() and text.isprintable()):
            raise ValueError("must be printable ASCII, on one line")
        return token

    def missing(self) -> Iterator[str]:
        """The options that are empty although the kind needs them."""
        return (option for option in CDN_NEEDS[self.kind] if not getattr(self, option))


class OutboxOptions(Section):
    """Messages about changes on their way to the receivers of events and to the CDN; each is an object in the store."""

    give_up: Seconds = Field(3 * 86400.0, description="a message that is older, and fails, becomes a dead letter", gt=0)
    keep_dead: Seconds = Field(7 * 86400.0, description="how long dead letters stay, below dead/", gt=0)
    take_over: Seconds = Field(
        60.0, description="a message that its node leaves for so long is delivered by another", ge=1
    )
    timeout: Seconds = Field(10.0, description="of one delivery of an event", gt=0)
