"""The options of the stores."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from gateway.section import Location, Secret, Section
from gateway.units import Seconds, Size
from gateway.wording import Wanted

Container = Annotated[str, Wanted("the name of a container: 1 to 256 characters, none of them a slash")]


Digest = Literal["sha1", "sha256", "sha512"]
LIFETIME = "how long a URL is valid when the request does not say"
MAX_LIFETIME = "the longest a request may ask for"


class DirectoryTempUrl(Section):
    """Temporary URLs that nginx answers itself, below /temp/ of the public port."""

    key: Secret | None = Field(
        None, description="the key; without one, one is made and kept in derived, or in runtime.root"
    )
    key_2: Secret | None = Field(None, description="a second key that is also valid, for rotation")
    digest: Digest = Field("sha256", description="sha1, sha256 or sha512, of the URLs that are given; all are taken")
    lifetime: Seconds = Field(3600.0, description=LIFETIME)
    max_lifetime: Seconds = Field(7 * 86400.0, description=MAX_LIFETIME)


class DirectoryOptions(Section):
    """The embedded store: originals are plain files under root, by their names."""

    root: Location = Field(Path("var/store"), description="the originals; a directory of pictures is a valid store")
    derived: Location = Field(Path("var/derived"), description="derived images that are kept")
    outbox: Location = Field(Path("var/outbox"), description="messages about changes that are on their way")
    incoming: Location = Field(
        Path("var/incoming"), description="uploads by temporary PUT URLs that are not finished; made when it is needed"
    )
    temp_url: DirectoryTempUrl = Field(DirectoryTempUrl(), description="temporary URLs")
    not_images: list[str] = Field(
        ["ds_store", "db", "ini", "txt", "md", "xmp", "pdf", "doc", "docx", "html", "xml", "json", "zip", "mov", "mp4"],
        description="extensions of files that listings leave out, unless their content is an image",
    )

    @field_validator("not_images")
    @classmethod
    def _check_extensions(cls, extensions: list[str]) -> list[str]:
        for extension in extensions:
            if not re.fullmatch(r"\.?[^./\s]+", extension):
                raise ValueError(f"{extension!r} must be an extension, such as pdf")
        return [extension.removeprefix(".").lower() for extension in extensions]


class TempUrl(Section):
    """Temporary URLs that Swift answers itself."""

    key: Secret | None = Field(
        None, description="the key; without one, the container's or account's own, else one is made"
    )
    key_2: Secret | None = Field(None, description="a second key that is also valid, for rotation")
    scope: Literal["container", "account"] = Field(
        "container", description="where the key is set (Ceph knows only account)"
    )
    digest: Literal["sha1", "sha256", "sha512"] = Field(
        "sha256", description="sha1, sha256 or sha512 (Ceph knows only sha1)"
    )
    lifetime: Seconds = Field(3600.0, description="how long a URL is valid when the request does not say")
    max_lifetime: Seconds = Field(7 * 86400.0, description="the longest a request may ask for")


class SwiftOptions(Section):
    """OpenStack Swift. What is left empty here is read from OS_* and ST_*, or of OS_CLOUD in clouds.yaml."""

    auth_version: Literal["auto", "1", "2", "3"] = Field("auto", description="auto, 1, 2 or 3")
    auth_url: str = Field("", description="ST_AUTH or OS_AUTH_URL")
    user: str = Field("", description="ST_USER or OS_USERNAME")
    key: Secret | None = Field(None, description="ST_KEY or OS_PASSWORD")
    project_name: str = Field("", description="OS_PROJECT_NAME")
    project_id: str = Field("", description="OS_PROJECT_ID")
    user_domain_name: str = Field("", description="OS_USER_DOMAIN_NAME")
    user_domain_id: str = Field("", description="OS_USER_DOMAIN_ID")
    project_domain_name: str = Field("", description="OS_PROJECT_DOMAIN_NAME")
    project_domain_id: str = Field("", description="OS_PROJECT_DOMAIN_ID")
    application_credential_id: str = Field("", description="OS_APPLICATION_CREDENTIAL_ID")
    application_credential_name: str = Field(
        "", description="OS_APPLICATION_CREDENTIAL_NAME: instead of its id, together with the user"
    )
    application_credential_secret: Secret | None = Field(None, description="OS_APPLICATION_CREDENTIAL_SECRET")
    region: str = Field("", description="OS_REGION_NAME")
    interface: Literal["public", "internal", "admin"] = Field(
        "public", description="public, internal or admin endpoint"
    )
    storage_url: str = Field("", description="OS_STORAGE_URL: instead of the one that the login returns")
    cacert: str = Field("", description="OS_CACERT: certificates to trust instead of the system's")
    container: Container = Field("images", description="the originals", pattern=r"^[^/]{1,256}$")
    create: bool = Field(False, description="make the originals' container at the start, where it is missing")
    derived_container: Container = Field("images-derived", description="derived images", pattern=r"^[^/]{1,256}$")
    journal_container: Annotated[str, Wanted("the name of a container, without a slash, or empty")] = Field(
        "",
        description="container of the journal and the outbox; empty: the originals' with -journal after it",
        pattern=r"^[^/]{0,256}$",
    )
    incoming_container: Annotated[str, Wanted("the name of a container without a slash, or empty")] = Field(
        "", description="uploads by temporary PUT URLs that are not finished; empty: none are taken",
        pattern=r"^[^/]{0,256}$",
    )  # fmt: skip
    incoming_key: Secret | None = Field(
        None, description="the key of its temporary URLs; without one, the container's own, else one is made"
    )
    derived_account: Literal["same", "own"] = Field(
        "same", description="same as the originals', or the login's own where storage_url is another's"
    )
    derived_expiry: Seconds = Field(0.0, description="delete derived images in Swift after this time; 0: never")
    temp_url: TempUrl = Field(TempUrl(), description="temporary URLs")
    timeout: Seconds = Field(10.0, description="of one request", gt=0)
    retries: int = Field(2, description="of a request that is safe to repeat", ge=0, le=10)
    connections: int = Field(16, description="at most, to Swift", ge=1, le=256)
    redirect: Size = Field(
        0, description="API answers of at least this size are redirects to a temporary URL; 0: never"
    )


class StoreOptions(Section):
    """The store of the originals."""

    kind: Literal["directory", "swift"] = Field("directory", description="directory or swift")
    directory: DirectoryOptions = Field(DirectoryOptions(), description="the embedded store")
    swift: SwiftOptions = Field(SwiftOptions(), description="OpenStack Swift")
