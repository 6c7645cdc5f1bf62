"""A start and a reload compare the Lua twins with Python first: they refuse where the two differ."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import checks
from gateway.config import defaults, load
from gateway.contracts import Contract
from gateway.questions import observe
from gateway.rules import Rules
from gateway.samples import Request
from gateway.settings import Config
from service.supervise import nginx_conf, twins
from tests import images
from tests.cli.test_check import HOME, run
from tests.gateways import free_ports, running_gateway, write_config
from tests.supervise.test_restarting import ask, change, reload, texts
from tests.waiting import until

RIGHT, WRONG = 'and "h" or "w"', 'and "w" or "h"'
READINGS = (
    "Lua contradicts vectors.json, names: {'path': 'cat.jpg', 'query': 'xsize=300'}: "
    "'cat.jpg/@w=300.source' should be 'cat.jpg/@w=300,h=300.source'"
)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of the project's code, to be changed."""
    for folder in ("gateway", "nginx", "service"):
        shutil.copytree(HOME / folder, tmp_path / "code" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "code"


def exchange(code: Path, was: str, becomes: str) -> None:
    file = code / "gateway/forms.lua"
    assert file.read_text().count(was) == 1
    file.write_text(file.read_text().replace(was, becomes))


def configured(base: Path, text: str = "") -> Config:
    """A configuration whose runtime folder exists."""
    (base / "var/run").mkdir(parents=True, exist_ok=True)
    return load(text, file="config.yaml", base=base, environ={}, read_file=Path.read_text)


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_start_with_a_twin_that_was_changed_alone_is_refused(tmp_path: Path, code: Path, command: str) -> None:
    exchange(code, RIGHT, WRONG)
    ended = run(command, write_config(tmp_path, {}, free_ports(2)), code)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(READINGS)
    assert "; Python reads 'cat.jpg/@w=300,h=300.source' " in line
    assert line.endswith(f"[{code / 'gateway'}]: restore gateway/ from the release, or change both twins alike")
    assert not (tmp_path / "var/run" / twins.PROOF).exists()
    assert not (tmp_path / "var/run/service.sock").exists()


def test_a_reload_with_a_twin_that_was_changed_alone_changes_nothing(tmp_path: Path, code: Path) -> None:
    environ = {"PYTHONPATH": str(code), "PYTHONSAFEPATH": "1"}
    with running_gateway(tmp_path / "root", {}, environ) as gateway:
        assert gateway.upload("cat.jpg", images.jpeg()).status_code == 201
        in_force = texts(gateway)
        change(gateway, presets={"tiny": "w=8"})

        exchange(code, RIGHT, WRONG)
        assert f"not reloaded: {READINGS}" in reload(gateway)
        assert texts(gateway) == in_force
        assert ask(gateway, "/images/cat.jpg/@tiny.png").status_code == 400
        assert ask(gateway, "/images/cat.jpg/@thumbnail.png").status_code == 200

        exchange(code, WRONG, RIGHT)
        assert "not reloaded" not in reload(gateway)
        until(lambda: ask(gateway, "/images/cat.jpg/@tiny.png").status_code == 200)


def test_a_new_release_whose_twins_agree_is_compared_as_it_is_installed(tmp_path: Path, code: Path) -> None:
    environ = {"PYTHONPATH": str(code), "PYTHONSAFEPATH": "1"}
    with running_gateway(tmp_path / "root", {}, environ) as gateway:
        for file in ("hints.py", "hints.lua", "vectors.json"):
            path = code / "gateway" / file
            path.write_text(path.read_text().replace("did you mean", "do you mean"))
        assert "not reloaded" not in reload(gateway)
        until(lambda: "do you mean w?" in ask(gateway, "/images/cat.jpg?width=8").text)


def test_an_unchanged_start_compares_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(checks, "prove", lambda rules, root: compared.append(rules))
    for text, times in (("", 1), ("", 1), ("presets: {tiny: w=8}", 2), ("presets: {tiny: w=8}", 2), ("", 3)):
        twins.prove(configured(tmp_path, text))
        assert len(compared) == times


@pytest.mark.parametrize("file", ["forms.lua", "forms.py", "vectors.json", "vocabulary.json"])
def test_a_change_on_either_side_is_compared_again(
    tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setattr(nginx_conf, "lua_root", lambda: code)
    compared = []
    monkeypatch.setattr(checks, "prove", lambda rules, root: compared.append(root))
    twins.prove(configured(tmp_path))
    (code / "gateway" / file).open("a").write("\n")
    twins.prove(configured(tmp_path))
    twins.prove(configured(tmp_path))
    assert compared == [code, code]


def test_what_was_refused_is_compared_at_the_next_start_too(
    tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nginx_conf, "lua_root", lambda: code)
    config = configured(tmp_path)
    twins.prove(config)
    exchange(code, RIGHT, WRONG)
    for _ in range(2):
        with pytest.raises(twins.TwinsDiffer, match="xsize=300"):
            twins.prove(config)


def test_a_comparison_leaves_its_proof_and_asks_far_less_than_a_check_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes a third of a second; `bench/run start` measures that."""
    config, asked = configured(tmp_path), list[Request]()

    def counted(contract: Contract, request: Request, rules: Rules) -> dict[str, str]:
        asked.append(request)
        return observe(contract, request, rules)

    monkeypatch.setattr(checks, "observe", counted)
    twins.prove(config)
    assert (tmp_path / "var/run" / twins.PROOF).exists()
    assert 0 < len(asked) < checks.GENERATED / 2


def test_a_start_that_compares_nothing_loads_no_lua(tmp_path: Path) -> None:
    twins.prove(configured(tmp_path))
    program = (
        "import sys; from pathlib import Path; from gateway.config import defaults;"
        "from service.supervise import twins;"
        f"twins.prove(defaults(Path({str(tmp_path)!r}))); print('lupa' in sys.modules)"
    )
    assert defaults(tmp_path) == configured(tmp_path)
    said = subprocess.run([sys.executable, "-c", program], cwd=HOME, capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
