"""The options of what comes in: uploads that clients send straight to the store, and the hook that may refuse them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from gateway.section import Secret, Section
from gateway.standard_webhooks import SECRET, key_of
from gateway.units import Seconds, Size
from gateway.wording import Wanted

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*)(:[0-9]{1,5})?")


def _origin(value: Any) -> str:
    if isinstance(value, str) and _ORIGIN.fullmatch(value):
        return value
    raise ValueError("must be an origin in small letters, such as https://shop.example.org, without a path")


Origin = Annotated[str, BeforeValidator(_origin)]


class Hook(Section):
    """A service of moderation or against viruses that is asked before an upload is stored (docs/api.md)."""

    url: Annotated[str, Wanted("an http or https URL without a fragment, or empty")] = Field(
        "", description="where its name, metadata and a small image of it are posted; empty: no hook",
        pattern=r"^(https?://[^\s?#@/:]+(:[0-9]{1,4}|:[1-5][0-9]{4})?(/[^\s#]*)?)?$",
    )  # fmt: skip
    secret: Secret | None = Field(None, description=f"signs what is posted, by Standard Webhooks: {SECRET}")
    timeout: Seconds = Field(5.0, description="for its whole answer", gt=0)
    on_failure: Literal["accept", "refuse"] = Field(
        "refuse", description="what becomes of an upload when the hook gives no answer: accept or refuse"
    )

    @field_validator("secret")
    @classmethod
    def _check_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            key_of(secret.get_secret_value())
        return secret


class Intake(Section):
    """What comes in: uploads straight to the store by temporary PUT URLs, and the hook that may refuse any upload."""

    lifetime: Seconds = Field(
        3600.0, description="how long a temporary PUT URL is valid; then what was not finished is deleted", ge=1,
        le=7 * 86400,
    )  # fmt: skip
    quota: Size = Field(10 * 2**30, description="bytes that may wait to be finished, copies included", ge=1)
    origins: list[Origin] = Field(
        [], description="origins whose pages may use these URLs (CORS), such as [https://shop.example.org]"
    )
    hook: Hook = Field(Hook(), description="asked before an upload is stored")
