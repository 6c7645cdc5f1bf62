"""The settings of a connection to Swift, completed from the usual environment variables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.store.swift.clouds import NoCloud, cloud_login

AuthVersion = Literal["auto", "1", "2", "3"]
Scope = Literal["container", "account"]
Digest = Literal["sha1", "sha256", "sha512"]


@dataclass(frozen=True, slots=True)
class TempUrlSettings:
    """Temporary URLs. Up to two `keys`: the first signs, both stay valid. Times in seconds.

    Without keys those of the container or account are used, and one is made where there is none. Ceph's RADOS
    gateway knows only the digest `sha1` and the scope `account`.
    """

    keys: tuple[str, ...] = field(default=(), repr=False)
    scope: Scope = "container"
    digest: Digest = "sha256"
    lifetime: float = 3600
    max_lifetime: float = 7 * 86400


@dataclass(frozen=True, slots=True)
class SwiftSettings:
    """Where the containers are and how to log in.

    `timeout` is in seconds: how long Swift may be silent. `retries` is how often a call that failed is repeated,
    `connections` how many are open at most. `delete_after` is in seconds: when derived images expire, None for never.
    `redirect` is the size in bytes from which on an image is answered by a redirect, 0 for never.
    `storage_url` replaces the one that the login returns; `cacert` is a file of certificates to trust instead of the
    system's. `create` says whether the originals' container is made where it is missing. `derived_account` is "own"
    where derived images lie in the account of the login while `storage_url` is another's. Without `derived_needed` a
    start goes on where the user may not use the derived container. There is a journal only where it has a name.
    `mistake` says why the login could not be read.
    Without `incoming_container` no uploads are taken by temporary URLs; `incoming_quota` is in bytes, and pages of
    `incoming_origins` may use them.
    """

    container: str = "images"
    create: bool = False
    derived_container: str = "images-derived"
    journal_container: str = ""
    incoming_container: str = ""
    incoming_keys: tuple[str, ...] = field(default=(), repr=False)
    incoming_quota: int = 10 * 2**30
    incoming_origins: tuple[str, ...] = ()
    auth_version: AuthVersion = "auto"
    auth_url: str = ""
    user: str = ""
    key: str = field(default="", repr=False)
    project_name: str = ""
    project_id: str = ""
    user_domain_name: str = ""
    user_domain_id: str = ""
    project_domain_name: str = ""
    project_domain_id: str = ""
    application_credential_id: str = ""
    application_credential_name: str = ""
    application_credential_secret: str = field(default="", repr=False)
    region: str = ""
    interface: str = "public"
    storage_url: str = ""
    cacert: str = ""
    temp_url: TempUrlSettings = field(default_factory=TempUrlSettings)
    timeout: float = 10
    retries: int = 2
    connections: int = 16
    delete_after: int | None = None
    redirect: int = 0
    derived_account: Literal["same", "own"] = "same"
    derived_needed: bool = True
    mistake: str = ""


_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "auth_url": ("OS_AUTH_URL", "ST_AUTH"),
    "user": ("OS_USERNAME", "ST_USER"),
    "key": ("OS_PASSWORD", "ST_KEY"),
    "project_name": ("OS_PROJECT_NAME", "OS_TENANT_NAME"),
    "project_id": ("OS_PROJECT_ID", "OS_TENANT_ID"),
    "user_domain_name": ("OS_USER_DOMAIN_NAME",),
    "user_domain_id": ("OS_USER_DOMAIN_ID",),
    "project_domain_name": ("OS_PROJECT_DOMAIN_NAME",),
    "project_domain_id": ("OS_PROJECT_DOMAIN_ID",),
    "application_credential_id": ("OS_APPLICATION_CREDENTIAL_ID",),
    "application_credential_name": ("OS_APPLICATION_CREDENTIAL_NAME",),
    "application_credential_secret": ("OS_APPLICATION_CREDENTIAL_SECRET",),
    "region": ("OS_REGION_NAME",),
    "storage_url": ("OS_STORAGE_URL",),
    "cacert": ("OS_CACERT",),
}
_VERSION_VARIABLES = ("OS_AUTH_VERSION", "OS_IDENTITY_API_VERSION", "ST_AUTH_VERSION")


def settings_from_environment(settings: SwiftSettings, environ: Mapping[str, str]) -> SwiftSettings:
    """The settings with their blanks filled from the variables that OpenStack's own clients read.

    OS_CLOUD gives the login of that name in clouds.yaml, and no other variable counts then. The environment gives whole
    logins: where the settings name an `auth_url` of their own, what they leave blank is
    still filled, but a user who is named in them never gets an application credential of the environment's.
    """
    try:
        given = cloud_login(environ["OS_CLOUD"], environ) if environ.get("OS_CLOUD") else _variables(environ)
    except NoCloud as error:
        return dataclasses.replace(settings, mistake=str(error))
    blank = {name for name in given if not getattr(settings, name)}
    if settings.interface == "public" and given.get("interface") in _INTERFACES:
        blank.add("interface")
    found = {name: given[name] for name in blank}
    if settings.user:
        for name in ("application_credential_id", "application_credential_name", "application_credential_secret"):
            found.pop(name, None)
    filled = dataclasses.replace(settings, **found)  # type: ignore[arg-type]  # every one of them is a string
    if filled.auth_version != "auto":
        return filled
    version = next((environ[variable] for variable in _VERSION_VARIABLES if environ.get(variable)), "")
    return dataclasses.replace(filled, auth_version=_VERSIONS.get(version.lstrip("v")[:1], "auto"))


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What the variables give of a login."""
    values = (
        (name, next((environ[variable] for variable in variables if environ.get(variable)), ""))
        for name, variables in _VARIABLES.items()
    )
    return {name: value for name, value in values if value}


_INTERFACES = ("public", "internal", "admin")

_VERSIONS: Mapping[str, AuthVersion] = {"1": "1", "2": "2", "3": "3"}


def auth_version(settings: SwiftSettings) -> Literal["1", "2", "3"]:
    """The version as configured; `auto` takes it from what the settings hold, else from the URL."""
    if settings.auth_version != "auto":
        return settings.auth_version
    if settings.application_credential_id or settings.application_credential_name:
        return "3"
    last = settings.auth_url.rstrip("/").rpartition("/")[2]
    if last.startswith(("v1", "v2", "v3")):
        return "1" if last[1] == "1" else "2" if last[1] == "2" else "3"
    is_keystone = settings.project_name or settings.project_id or settings.user_domain_name or settings.user_domain_id
    return "3" if is_keystone else "1"


def credentials_missing(settings: SwiftSettings) -> list[str]:
    """The keys below `store.swift` that a login needs, as the configuration spells them."""
    required = ["auth_url"]
    version = auth_version(settings)
    if settings.application_credential_name and not settings.application_credential_id:
        required += ["user", "application_credential_secret"]
    elif settings.application_credential_id or settings.application_credential_secret:
        required += ["application_credential_id", "application_credential_secret"]
    else:
        required += ["user", "key"]
        names_project = settings.project_name or settings.project_id or ":" in settings.user
        if version != "1" and not names_project:
            required.append("project_name")
    return [name for name in required if not getattr(settings, name)]
