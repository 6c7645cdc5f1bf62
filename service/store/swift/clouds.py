"""The login that OS_CLOUD names in clouds.yaml, as OpenStack's own clients find it.

https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FILES = {"OS_CLIENT_CONFIG_FILE": "clouds.yaml", "OS_CLIENT_SECURE_FILE": "secure.yaml"}
"""The variables that name a file, and its name where they do not."""

_OPTIONS: Mapping[str, str] = {
    "auth_url": "auth_url",
    "username": "user",
    "password": "key",
    "project_name": "project_name",
    "project_id": "project_id",
    "tenant_name": "project_name",
    "tenant_id": "project_id",
    "user_domain_name": "user_domain_name",
    "user_domain_id": "user_domain_id",
    "project_domain_name": "project_domain_name",
    "project_domain_id": "project_domain_id",
    "application_credential_id": "application_credential_id",
    "application_credential_name": "application_credential_name",
    "application_credential_secret": "application_credential_secret",
    "region_name": "region",
    "interface": "interface",
    "object_store_endpoint_override": "storage_url",
    "cacert": "cacert",
}
"""By option of clouds.yaml, of `auth` or beside it, ours."""


class NoCloud(Exception):
    """There is no such file, or it has no such cloud; the text says which."""


def cloud_login(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of the cloud of this name, secrets of secure.yaml included. Raises NoCloud."""
    file = _find("OS_CLIENT_CONFIG_FILE", environ)
    if file is None:
        looked = ", ".join(str(folder / "clouds.yaml") for folder in _folders(environ))
        raise NoCloud(f"OS_CLOUD names {name!r}, and there is no clouds.yaml; looked for {looked}")
    clouds = _clouds(file)
    if name not in clouds:
        known = ", ".join(sorted(map(str, clouds))) or "none"
        raise NoCloud(f"OS_CLOUD names {name!r}, which {file} does not have; it has: {known}")
    secret = _find("OS_CLIENT_SECURE_FILE", environ)
    found = _flat(clouds[name]) | (_flat(_clouds(secret).get(name)) if secret else {})
    return {_OPTIONS[key]: str(value) for key, value in found.items() if key in _OPTIONS and value}


def _folders(environ: Mapping[str, str]) -> list[Path]:
    home = environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '/')}/.config"
    return [Path.cwd(), Path(home) / "openstack", Path("/etc/openstack")]


def _find(variable: str, environ: Mapping[str, str]) -> Path | None:
    if environ.get(variable):
        return Path(environ[variable])
    files = (folder / FILES[variable] for folder in _folders(environ))
    return next((file for file in files if file.is_file()), None)


def _clouds(file: Path) -> Mapping[str, Any]:
    try:
        read = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise NoCloud(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    clouds = read.get("clouds") if isinstance(read, dict) else None
    return clouds if isinstance(clouds, dict) else {}


def _flat(cloud: object) -> dict[str, Any]:
    """The options of a cloud and of its `auth`."""
    if not isinstance(cloud, dict):
        return {}
    auth = cloud.get("auth")
    return {**cloud, **(auth if isinstance(auth, dict) else {})}
