"""What is known of a login before anybody logs in."""

from typing import Any

import pytest

from service.store.swift.settings import (
    SwiftSettings,
    TempUrlSettings,
    auth_version,
    credentials_missing,
    settings_from_environment,
)

PASSWORD: dict[str, Any] = {"auth_url": "https://keystone/v3", "user": "u", "key": "k", "project_name": "p"}
CREDENTIAL = {
    "auth_url": "https://keystone",
    "application_credential_id": "i",
    "application_credential_secret": "s",
}


@pytest.mark.parametrize(
    ("settings", "version"),
    [
        ({"auth_url": "http://swift/auth/v1.0"}, "1"),
        ({"auth_url": "http://swift/auth/1.0"}, "1"),
        ({"auth_url": "http://rgw/auth/v1"}, "1"),
        ({"auth_url": "http://keystone/v2.0/"}, "2"),
        ({"auth_url": "http://keystone/identity/v3"}, "3"),
        ({"auth_url": "http://keystone", "project_name": "p"}, "3"),
        ({"auth_url": "http://keystone/identity", "user_domain_id": "default"}, "3"),
        (CREDENTIAL, "3"),
        ({"auth_url": "http://keystone/v3", "auth_version": "1"}, "1"),
    ],
)
def test_the_version_follows_from_what_is_given(settings: dict[str, Any], version: str) -> None:
    assert auth_version(SwiftSettings(**settings)) == version


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({}, ["auth_url", "user", "key"]),
        (PASSWORD, []),
        (PASSWORD | {"key": ""}, ["key"]),
        (PASSWORD | {"project_name": ""}, ["project_name"]),
        (PASSWORD | {"project_name": "", "project_id": "id"}, []),
        (PASSWORD | {"project_name": "", "user": "p:u"}, []),
        ({"auth_url": "http://swift/auth/v1.0", "user": "a:u", "key": "k"}, []),
        (CREDENTIAL, []),
        (CREDENTIAL | {"application_credential_secret": ""}, ["application_credential_secret"]),
        (CREDENTIAL | {"application_credential_id": "", "auth_url": ""}, ["auth_url", "application_credential_id"]),
    ],
)
def test_what_is_missing_is_named(settings: dict[str, Any], missing: list[str]) -> None:
    assert credentials_missing(SwiftSettings(**settings)) == missing


def test_the_environment_fills_blanks_and_overrides_nothing() -> None:
    environ = {"OS_AUTH_URL": "http://other", "OS_USERNAME": "other", "OS_PASSWORD": "from-environment"}
    filled = settings_from_environment(SwiftSettings(auth_url="http://mine/v3", user="me"), environ)
    assert (filled.auth_url, filled.user, filled.key) == ("http://mine/v3", "me", "from-environment")


def test_openstacks_names_go_before_swifts_own() -> None:
    environ = {"ST_AUTH": "http://st/auth/v1.0", "OS_AUTH_URL": "http://os/v3", "OS_TENANT_NAME": "tenant"}
    filled = settings_from_environment(SwiftSettings(), environ)
    assert (filled.auth_url, filled.project_name) == ("http://os/v3", "tenant")


@pytest.mark.parametrize(
    ("value", "version"), [("3", "3"), ("2.0", "2"), ("1.0", "1"), ("v3", "3"), ("", "auto"), ("4", "auto")]
)
def test_the_version_may_come_from_the_environment(value: str, version: str) -> None:
    assert settings_from_environment(SwiftSettings(), {"OS_IDENTITY_API_VERSION": value}).auth_version == version


def test_a_user_who_is_configured_is_not_replaced_by_a_credential_of_the_environment() -> None:
    environ = {"OS_APPLICATION_CREDENTIAL_ID": "i", "OS_APPLICATION_CREDENTIAL_SECRET": "s"}
    filled = settings_from_environment(SwiftSettings(**PASSWORD), environ)
    assert filled.application_credential_id == ""


def test_no_secret_is_shown() -> None:
    settings = SwiftSettings(
        key="secret-1", application_credential_secret="secret-2", temp_url=TempUrlSettings(keys=("secret-3",))
    )
    assert "secret-" not in repr(settings)
