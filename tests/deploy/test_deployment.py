"""The deployment files, as far as they can be judged without a container engine or a cluster: by the schemas of their
tools, by those tools' own checkers where there are any, and by our own reader of configurations."""

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gateway.config import load

HOME = Path(__file__).resolve().parents[2]
DEPLOY = HOME / "deploy"
SCHEMAS = HOME / "tests" / "schemas"
KUBERNETES = json.loads((SCHEMAS / "kubernetes.json").read_text())
MANIFESTS: list[dict[str, Any]] = [
    manifest
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
    if manifest["kind"] != "Kustomization"
]
UNIT = DEPLOY / "systemd" / "image-gateway.service"
COMPOSE = yaml.safe_load((HOME / "compose.yaml").read_text())


def manifest(kind: str, name: str = "image-gateway") -> dict[str, Any]:
    return next(m for m in MANIFESTS if (m["kind"], m["metadata"]["name"]) == (kind, name))


CONFIGS = {str(path.relative_to(HOME)): path.read_text() for path in sorted(DEPLOY.glob("*/config.yaml"))}
CONFIGS["deploy/kubernetes/config.yaml"] = manifest("ConfigMap")["data"]["config.yaml"]


@pytest.mark.parametrize("name", CONFIGS)
def test_every_example_configuration_is_valid(name: str) -> None:
    swift = {"ST_AUTH": "http://swift:8080/auth/v1.0", "ST_USER": "user", "ST_KEY": "key"}
    config = load(CONFIGS[name], file=name, base=Path("/"), environ=swift, read_file=Path.read_text)
    assert config.cache.root == Path("/var/cache/image-gateway")
    assert config.runtime.root.is_relative_to("/run/image-gateway")


def test_in_kubernetes_the_runtime_folder_is_the_gateways_own() -> None:
    """The volume's folder is root's, and the gateway closes its own to everybody else."""
    root = yaml.safe_load(CONFIGS["deploy/kubernetes/config.yaml"])["runtime"]["root"]
    mounts = [
        m["mountPath"] for m in manifest("StatefulSet")["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    ]
    assert root not in mounts and str(Path(root).parent) in mounts


def test_compose_and_kubernetes_start_against_a_swift_in_which_nothing_exists() -> None:
    for name in ("deploy/compose/config.yaml", "deploy/kubernetes/config.yaml"):
        assert yaml.safe_load(CONFIGS[name])["store"]["swift"]["create"] is True


def test_compose_follows_the_specification() -> None:
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "compose-spec.json").read_text())).validate(COMPOSE)


def test_compose_names_only_what_it_has() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (HOME / source).is_file() if source.startswith("./") else source in COMPOSE["volumes"]
        assert service.get("depends_on", {}).keys() <= COMPOSE["services"].keys()


def test_compose_publishes_on_this_host_alone_as_its_api_asks_for_no_token() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("document", MANIFESTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_every_manifest_follows_the_schema_of_its_kind(document: dict[str, Any]) -> None:
    schema = KUBERNETES["kinds"][document["kind"]] | {"definitions": KUBERNETES["definitions"]}
    jsonschema.Draft202012Validator(schema).validate(document)
    assert {"apiVersion", "kind", "metadata"} <= document.keys()


def test_the_kustomization_lists_every_manifest() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert {*listed, "kustomization.yaml"} == {path.name for path in (DEPLOY / "kubernetes").iterdir()}


def test_services_and_probes_point_at_ports_that_the_container_has() -> None:
    pod = manifest("StatefulSet")["spec"]["template"]
    container = pod["spec"]["containers"][0]
    ports = {port["name"] for port in container["ports"]}
    probes = [value["httpGet"]["port"] for key, value in container.items() if key.endswith("Probe")]
    assert len(probes) == 3 and ports >= set(probes)
    for name in ("image-gateway", "image-gateway-api", "image-gateway-nodes"):
        spec = manifest("Service", name)["spec"]
        assert spec["selector"].items() <= pod["metadata"]["labels"].items()
        assert {port["targetPort"] for port in spec["ports"]} <= ports


def test_every_mount_has_its_volume_and_nothing_else_can_be_written() -> None:
    spec = manifest("StatefulSet")["spec"]
    pod, container = spec["template"]["spec"], spec["template"]["spec"]["containers"][0]
    volumes = {v["name"] for v in pod["volumes"]} | {v["metadata"]["name"] for v in spec["volumeClaimTemplates"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"]


def test_secrets_come_from_the_environment_and_never_from_a_manifest() -> None:
    assert not [document for document in MANIFESTS if document["kind"] == "Secret"]
    container = manifest("StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    assert "env" not in container
    assert re.match(r"\$\{ST_KEY:-testing\}", COMPOSE["services"]["gateway"]["environment"]["ST_KEY"])


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


def test_the_unit_starts_what_setup_installs_without_privileges() -> None:
    service = unit()["Service"]
    program, *arguments = service["ExecStart"].split()
    assert program == f"{service['WorkingDirectory']}/.venv/bin/image-gateway"
    assert arguments == ["up", "-c", "/etc/image-gateway/config.yaml"]
    assert service["User"] == "image-gateway"
    assert "u image-gateway " in (UNIT.with_suffix(".sysusers")).read_text()
    assert (service["CapabilityBoundingSet"], service["NoNewPrivileges"], service["ProtectSystem"]) == (
        "",
        "true",
        "strict",
    )


def test_the_unit_may_write_where_its_configuration_says() -> None:
    config = yaml.safe_load((DEPLOY / "systemd" / "config.yaml").read_text())
    service = unit()["Service"]
    assert config["cache"]["root"] == f"/var/cache/{service['CacheDirectory']}"
    assert config["runtime"]["root"] == f"/run/{service['RuntimeDirectory']}"
    assert config["store"]["directory"]["root"].startswith(f"/var/lib/{service['StateDirectory']}/")


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """By systemd's own checker on a machine that has it; everywhere, every line is a known kind of line."""
    copy = tmp_path / UNIT.name
    copy.write_text(
        re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", UNIT.read_text(), flags=re.MULTILINE)
    )
    if checker := shutil.which("systemd-analyze"):
        found = subprocess.run([checker, "verify", "--man=no", copy], capture_output=True, text=True, check=False)
        assert found.returncode == 0 and UNIT.name not in found.stderr, found.stderr
    lines = [line for line in UNIT.read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"\[(Unit|Service|Install)\]|[A-Z]\w+=.*", line) for line in lines)
