"""The files a one-replica Swift is made of: rings and the paste configurations of its four servers.

Runs inside the virtual environment that holds Swift.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from swift.common.ring import RingBuilder

SERVERS = ("account", "container", "object", "proxy")

SWIFT = """
[swift-hash]
swift_hash_path_prefix = test
swift_hash_path_suffix = test

[storage-policy:0]
name = one-replica
default = yes
"""

DEFAULTS = """
[DEFAULT]
swift_dir = {etc}
devices = {root}/devices
mount_check = false
bind_ip = {address}
bind_port = {port}
user = {user}
workers = 0
log_level = {log_level}
log_address = {root}/no-syslog
recon_cache_path = {root}
# Any disk will do, however full.
disable_fallocate = true
fallocate_reserve = 0
"""

BACKEND = """
[pipeline:main]
pipeline = healthcheck {kind}-server

[filter:healthcheck]
use = egg:swift#healthcheck

[app:{kind}-server]
use = egg:swift#{kind}
{options}

[{kind}-replicator]
[{kind}-updater]
[{kind}-auditor]
[container-sharder]
[container-sync]
[account-reaper]
"""

# An upload waits until the listing shows it, however slow the machine is.
BACKEND_OPTIONS = {"object": "container_update_timeout = 30"}

PROXY = """
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk tempurl {login} copy container-quotas
           account-quotas slo dlo versioned_writes symlink proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = 2
node_timeout = 20
# There is one node: never leave it out because of former errors.
error_suppression_limit = 1000000

[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
paste.filter_factory = filters:cache
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:tempurl]
use = egg:swift#tempurl
allowed_digests = {digests}
[filter:shim]
paste.filter_factory = filters:keystone
[filter:tempauth]
use = egg:swift#tempauth
token_life = {token_life}
user_test_tester = testing .admin
user_test_reader = reading
user_other_tester = testing .admin
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = {keystone}
auth_url = {keystone}
auth_type = password
username = swift
password = swift
project_name = service
user_domain_id = default
project_domain_id = default
delay_auth_decision = true
include_service_catalog = false
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = member
[filter:copy]
use = egg:swift#copy
[filter:container-quotas]
use = egg:swift#container_quotas
[filter:account-quotas]
use = egg:swift#account_quotas
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:bulk]
use = egg:swift#bulk
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
"""


@dataclass(frozen=True)
class Options:
    """What a test may want to be otherwise: where the proxy server listens, seconds a token lives, digests of temporary
    URLs, a real Keystone's URL."""

    address: str = "127.0.0.1"
    token_life: int = 86400
    digests: str = "sha1 sha256 sha512"
    keystone: str = ""
    log_level: str = "ERROR"


def write(root: Path, ports: dict[str, int], options: Options) -> None:
    """Write everything below `root`; `ports` holds one for every server."""
    etc, device = root / "etc", root / "devices" / "d1"
    etc.mkdir(parents=True, exist_ok=True)
    device.mkdir(parents=True, exist_ok=True)
    _check_attributes(device)
    values = {
        "etc": etc,
        "root": root,
        "user": pwd.getpwuid(os.getuid()).pw_name,
        "token_life": options.token_life,
        "digests": options.digests,
        "login": "authtoken keystoneauth" if options.keystone else "shim tempauth",
        "keystone": options.keystone,
        "log_level": options.log_level,
    }
    (etc / "swift.conf").write_text(SWIFT)
    for kind in SERVERS:
        text = DEFAULTS + (PROXY if kind == "proxy" else BACKEND)
        values |= {"kind": kind, "port": ports[kind], "options": BACKEND_OPTIONS.get(kind, "")}
        values["address"] = options.address if kind == "proxy" else "127.0.0.1"
        (etc / f"{kind}-server.conf").write_text(text.format(**values))
        if kind != "proxy":
            _write_ring(etc / f"{kind}.ring.gz", ports[kind])


def _write_ring(path: Path, port: int) -> None:
    builder = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
    address = {"ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1", "replication_port": port}
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, "device": "d1", "meta": ""} | address)
    builder.rebalance(seed=1)
    builder.get_ring().save(str(path))


def _check_attributes(device: Path) -> None:
    probe = device / "probe"
    probe.touch()
    try:
        os.setxattr(probe, "user.swift.metadata", b"x" * 1024)
    except OSError as error:
        raise SystemExit(f"{device} needs extended attributes (ext4, xfs, tmpfs since Linux 6.6): {error}") from error
    finally:
        probe.unlink()
