"""OS_CLOUD and clouds.yaml, as OpenStack's own clients read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.store.errors import StoreError
from service.store.swift.settings import SwiftSettings, auth_version, credentials_missing, settings_from_environment
from service.store.swift.store import SwiftStore

CLOUDS = """
clouds:
  images:
    auth_type: v3applicationcredential
    auth: {auth_url: "https://keystone.example.org/v3", application_credential_name: gateway, username: bot}
    region_name: RegionOne
    interface: internal
    cacert: /etc/ssl/cloud.pem
  old:
    auth: {auth_url: "https://keystone.example.org/v2.0", username: bot, password: p, project_name: images}
"""
SECURE = "clouds: {images: {auth: {application_credential_secret: s}}}"


def environ(folder: Path, cloud: str) -> dict[str, str]:
    (folder / "openstack").mkdir(exist_ok=True)
    (folder / "openstack/clouds.yaml").write_text(CLOUDS)
    (folder / "openstack/secure.yaml").write_text(SECURE)
    return {"XDG_CONFIG_HOME": str(folder), "OS_CLOUD": cloud, "OS_USERNAME": "somebody else"}


def test_a_cloud_gives_the_whole_login_with_the_secrets_of_secure_yaml(tmp_path: Path) -> None:
    settings = settings_from_environment(SwiftSettings(), environ(tmp_path, "images"))
    assert (settings.auth_url, settings.user, settings.region, settings.interface, settings.cacert) == (
        "https://keystone.example.org/v3",
        "bot",
        "RegionOne",
        "internal",
        "/etc/ssl/cloud.pem",
    )
    assert (settings.application_credential_name, settings.application_credential_secret) == ("gateway", "s")
    assert (auth_version(settings), credentials_missing(settings)) == ("3", [])


def test_what_the_configuration_says_goes_before_the_cloud(tmp_path: Path) -> None:
    settings = settings_from_environment(SwiftSettings(region="Two"), environ(tmp_path, "old"))
    assert (settings.region, settings.user, settings.key, auth_version(settings)) == ("Two", "bot", "p", "2")


def test_os_client_config_file_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("clouds: {mine: {auth: {auth_url: http://swift/auth/v1.0}}}")
    given = {"OS_CLOUD": "mine", "OS_CLIENT_CONFIG_FILE": str(tmp_path / "mine.yaml")}
    assert settings_from_environment(SwiftSettings(), given).auth_url == "http://swift/auth/v1.0"


@pytest.mark.parametrize(
    ("cloud", "text", "words"),
    [
        ("other", CLOUDS, "does not have; it has: images, old"),
        ("images", None, "there is no clouds.yaml; looked for "),
        ("images", "clouds: [", "clouds.yaml cannot be read"),
    ],
)
async def test_a_cloud_that_is_not_there_stops_the_start(
    cloud: str, text: str | None, words: str, tmp_path: Path
) -> None:
    given = environ(tmp_path, cloud)
    file = tmp_path / "openstack/clouds.yaml"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(StoreError, match=words):
        await SwiftStore(settings_from_environment(SwiftSettings(), given)).start()


def test_an_application_credential_may_be_named_with_its_user() -> None:
    given = {
        "OS_AUTH_URL": "https://keystone/v3",
        "OS_USERNAME": "bot",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_APPLICATION_CREDENTIAL_NAME": "gateway",
        "OS_APPLICATION_CREDENTIAL_SECRET": "s",
    }
    settings = settings_from_environment(SwiftSettings(), given)
    assert (auth_version(settings), credentials_missing(settings)) == ("3", [])
    del given["OS_USERNAME"]
    assert credentials_missing(settings_from_environment(SwiftSettings(), given)) == ["user"]
