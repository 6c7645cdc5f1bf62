"""The Helm chart, as far as it can be judged without helm; `scripts/lint chart` renders and validates it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import yaml

from gateway.config import load

HOME = Path(__file__).resolve().parents[2]
CHART = HOME / "deploy/helm"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())


def test_chart_image_and_project_have_one_version() -> None:
    version = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_the_charts_configuration_is_that_of_the_kustomization() -> None:
    swift = {"ST_AUTH": "http://swift:8080/auth/v1.0", "ST_USER": "user", "ST_KEY": "key"}
    plain = yaml.safe_load((HOME / "deploy/kubernetes/config.yaml").read_text())["data"]["config.yaml"]
    chart = yaml.safe_dump(VALUES["config"])
    ours, theirs = (
        load(text, file="config.yaml", base=Path("/"), environ=swift, read_file=Path.read_text)
        for text in (chart, plain)
    )
    assert ours == theirs


def test_its_balancer_is_that_of_the_kustomization() -> None:
    plain, deployment, _ = yaml.safe_load_all((HOME / "deploy/kubernetes/balancer.yaml").read_text())
    for name in ("run", "nginx.conf"):
        assert (CHART / "files" / f"balancer-{name}").read_text() == plain["data"][name]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert VALUES["balancer"]["resources"] == container["resources"]
    assert VALUES["balancer"]["replicas"] == deployment["spec"]["replicas"]


def test_every_value_is_used_by_a_template() -> None:
    templates = "".join(file.read_text() for file in (CHART / "templates").iterdir())
    assert [name for name in VALUES if f".Values.{name}" not in templates] == []
