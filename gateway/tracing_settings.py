"""The options of OpenTelemetry traces."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from gateway.section import Secret, Section
from gateway.units import Seconds

_LABEL = "[A-Za-z0-9_-]{1,63}"
_ENDPOINT = re.compile(rf"https?://({_LABEL}(\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?(/[^\s?#]*)?")
_HEADER = re.compile(r"[A-Za-z0-9-]+")


class Tracing(Section):
    """OpenTelemetry traces of what the service answers; what nginx answers alone has none."""

    endpoint: str = Field(
        "", description="a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318; empty: no traces"
    )
    headers: dict[str, Secret] = Field(
        default_factory=dict, description="sent with each delivery, such as {authorization: {env: OTLP_TOKEN}}"
    )
    service_name: str = Field("image-gateway", description="service.name of the traces", min_length=1)
    sample: float = Field(1.0, description="the share of requests that is traced, from 0 to 1", ge=0, le=1)
    timeout: Seconds = Field(10.0, description="of one delivery; no request waits for it", gt=0)

    @field_validator("endpoint")
    @classmethod
    def _check_endpoint(cls, endpoint: str) -> str:
        if endpoint and not _ENDPOINT.fullmatch(endpoint):
            raise ValueError("must be http://HOST:PORT or an https URL, without user or query: secrets go into headers")
        _ = urlsplit(endpoint).port  # raises ValueError where it is none
        return endpoint

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, secret in headers.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header")
            if not (value := secret.get_secret_value()).isascii() or not value.isprintable():
                raise ValueError(f"the value of {name} must be printable ASCII, on one line")
        return headers
