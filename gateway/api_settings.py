"""The options of the API port."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gateway.hosts import HostName
from gateway.section import Section
from gateway.units import Listen, Network, is_loopback, url_of
from gateway.wording import Wanted

Scope = Literal["read", "write", "delete", "url", "sign", "metrics"]


def resolve_listen(listen: str, *, tokens: bool) -> str:
    """`auto:PORT` as HOST:PORT. It suits containers: the port can be published once it asks for a token."""
    if not listen.startswith("auto:"):
        return listen
    host = "0.0.0.0" if tokens else "127.0.0.1"  # noqa: S104  # that is what it is for
    return f"{host}:{listen.removeprefix('auto:')}"


class Token(Section):
    """One client of the API."""

    name: Annotated[str, Wanted("1 to 64 letters, digits, dots, - and _")] = Field(
        description="who it is, for the log", pattern=r"^[A-Za-z0-9._-]{1,64}$"
    )
    sha256: Annotated[str, Wanted("64 digits of hex in small letters, as sha256sum prints them")] = Field(
        description="SHA-256 of the token, in hex", pattern=r"^[0-9a-f]{64}$"
    )
    scopes: list[Scope] = Field(["read"], description="what it may do: read, write, delete, url, sign, metrics")


class Api(Section):
    """The API port, for internal clients."""

    listen: Listen = Field(
        "127.0.0.1:8081", description="where the API listens; auto:PORT: everywhere with tokens, on loopback without"
    )
    tokens: list[Token] = Field(
        default_factory=list,
        description="bearer tokens, as {name, sha256, scopes}; none: only loopback may be listened on",
    )
    hosts: list[HostName] = Field(
        [], description="names that requests may have in Host and Origin, beside localhost and that of listen"
    )
    trusted_proxies: list[Network] = Field(
        [], description="as for public, of what stands before the API; its audit tells who asks"
    )
    page: bool = Field(True, description="serve the workbench at /, a page to browse, try, put in and watch images")
    allow_anonymous_network: bool = Field(
        False,
        description="listen beyond loopback although there are no tokens: anyone who reaches the port may do anything",
    )

    @property
    def page_url(self) -> str:
        """The URL of the workbench for clients on this machine; empty where they cannot reach it by loopback."""
        return f"{url_of(self.listen)}/" if self.page and is_loopback(self.listen) else ""

    @model_validator(mode="before")
    @classmethod
    def _resolve_listen(cls, options: Any) -> Any:
        if isinstance(options, dict) and isinstance(options.get("listen"), str):
            return {**options, "listen": resolve_listen(options["listen"], tokens=bool(options.get("tokens")))}
        return options
