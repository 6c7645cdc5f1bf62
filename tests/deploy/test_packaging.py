"""What is installed and shipped: the locks, the installing script, the Dockerfile, and what no file may hold."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOME = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text())
DOCKERFILE = (HOME / "Dockerfile").read_text()

NOT_OURS = {".git", ".venv", "var", "dist", "build", "__pycache__"}
NOT_OURS |= {".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".schemathesis"}
FORBIDDEN = {
    "the host of a registry": r"(?:pyp[i]|pythonhoste[d]|npmj[s]|crate[s]|(deb|security)\.debia[n])\.(org|io|com)",
    "a folder of one machine": r"(?<![\w.$}/-])/(?:work|root/\.|home/\w|opt/wheels)",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n\w",
    "an access key": r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[abp]-\w{10}|glpat-\w{20})",
}


def files() -> Iterator[Path]:
    """Every file of the project, without what was built or cached."""
    for folder, folders, names in os.walk(HOME):
        folders[:] = [name for name in folders if name not in NOT_OURS and not name.endswith(".egg-info")]
        yield from (Path(folder, name) for name in names if name not in NOT_OURS)  # in a worktree .git is a file


def lock(name: str) -> dict[str, str]:
    """The versions that a lock file fixes, by normalised name."""
    pinned: dict[str, str] = {}
    for line in (HOME / name).read_text().splitlines():
        if line.startswith("#"):
            continue
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.+!]+)( ; platform_machine == '\w+')?", line)
        assert match, f"{name}: {line!r} is no exact version; no address, range or option belongs there"
        pinned[canonicalize_name(match[1])] = match[2]
    return pinned


def check_locked(requirements: list[str], pinned: dict[str, str]) -> None:
    """Every requirement, and all that the installed packages require in turn, has a version in `pinned` that fits."""
    waiting, seen = list(requirements), set()
    while waiting:
        text = waiting.pop()
        if text in seen:
            continue
        seen.add(text)
        need = Requirement(text)
        version = pinned.get(canonicalize_name(need.name))
        assert version, f"{need} is not locked"
        assert need.specifier.contains(version, prereleases=True), f"{need.name}=={version} is not {need}"
        for inner in map(Requirement, distribution(need.name).requires or []):
            if not inner.marker or any(inner.marker.evaluate({"extra": extra}) for extra in ("", *need.extras)):
                inner.marker = None
                waiting.append(str(inner))


def test_the_runtime_lock_holds_everything_the_service_needs_within_its_ranges() -> None:
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    needed = project["dependencies"] + extras["tracing"] + extras["gunicorn"]
    check_locked(needed + PROJECT["build-system"]["requires"], lock("requirements.lock"))


def test_the_dev_lock_adds_what_the_tests_need_and_repeats_nothing() -> None:
    runtime, dev = lock("requirements.lock"), lock("requirements-dev.lock")
    check_locked(PROJECT["project"]["optional-dependencies"]["dev"], runtime | dev)
    assert not runtime.keys() & dev.keys()


def test_the_dockerfile_has_no_findings() -> None:
    found = subprocess.run([BIN / "hadolint", HOME / "Dockerfile"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_image_installs_by_the_same_script_as_make_setup_and_runs_without_root() -> None:
    runs = re.findall(r"^RUN (.*)$", DOCKERFILE, re.MULTILINE)
    assert sum("scripts/setup --no-nginx" in run for run in runs) == 2
    assert not any("apt-get" in run or "pip " in run for run in runs)
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", DOCKERFILE, re.MULTILINE)
    assert "scripts/setup\n" in (HOME / "Makefile").read_text()


def test_what_the_dockerfile_copies_is_not_ignored_by_docker() -> None:
    kept = {line[1:] for line in (HOME / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all((HOME / name).exists() for name in kept), "the list names what is not there"
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {*packages, PROJECT["project"]["readme"], "pyproject.toml", "requirements.lock", "scripts/setup"} <= kept
    for source in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for name in source.split():
            assert name == "." or any(Path(name).is_relative_to(path) for path in kept), f"{name} does not reach docker"


def test_setup_refuses_what_it_does_not_know() -> None:
    answer = subprocess.run([HOME / "scripts/setup", "--all"], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "unknown option --all" in answer.stderr
    assert "--no-nginx" in answer.stderr


Setup = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def machine(tmp_path: Path) -> Setup:
    """Runs a copy of setup on a made-up Debian: its installed packages are given, and nobody there is root."""
    copy = tmp_path / "copy"
    (copy / "scripts").mkdir(parents=True)
    for name in ("scripts/setup", "scripts/packages.txt"):
        (copy / name).write_bytes((HOME / name).read_bytes())
        (copy / name).chmod(0o755)

    def run(installed: list[str], *options: str) -> subprocess.CompletedProcess[str]:
        listed = "".join(f"installed {name}\\n" for name in installed)
        for name, script in {"dpkg-query": f"printf '{listed}'", "apt-get": "exit 99", "id": "echo 1000"}.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        path = f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        command = [str(copy / "scripts/setup"), "--packages-only", *options]
        return subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False)

    return run


FRONT = [
    "curl",
    "nginx",
    "libnginx-mod-http-lua",
    "libnginx-mod-http-ndk",
    "lua-resty-core",
    "lua-resty-lrucache",
    "lua-cjson",
]
TEXTS = ["libfribidi0", "fonts-dejavu-core"]
ENGINE = ["libmagickwand-6.q16-6", "libmagickcore-6.q16-6-extra", "libturbojpeg0", *TEXTS]


def test_setup_without_root_names_what_is_missing_and_the_command_that_installs_it(machine: Setup) -> None:
    answer = machine([name for name in FRONT if name != "lua-cjson"] + ENGINE[1:])
    assert answer.returncode == 1
    assert "missing Debian packages: libmagickwand-6.q16-6 lua-cjson \n" in answer.stderr
    assert "apt-get install --no-install-recommends libmagickwand-6.q16-6 lua-cjson" in answer.stderr


def test_setup_without_root_carries_on_when_nothing_is_missing(machine: Setup) -> None:
    answer = machine(FRONT + ENGINE)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_setup_takes_the_names_of_later_debian_releases(machine: Setup) -> None:
    for later, status in (
        (["libmagickwand-7.q16-10", "libmagickcore-7.q16-10-extra", "libturbojpeg0"], 0),
        (["libmagickwand-6.q16-7t64", "libmagickcore-6.q16-7t64-extra", "libturbojpeg"], 0),
        (["libmagickwand-7.q16hdri-10", "libmagickcore-7.q16hdri-10-extra", "libturbojpeg0"], 1),
    ):
        assert machine(later + TEXTS, "--no-nginx").returncode == status


@pytest.fixture
def checkout(tmp_path: Path) -> Setup:
    """Runs setup in a copy whose .venv is made already; the command goes to `bin` of the copy's parent."""
    (tmp_path / "bin").mkdir()

    def run(name: str) -> subprocess.CompletedProcess[str]:
        copy = tmp_path / name
        (copy / "scripts").mkdir(parents=True, exist_ok=True)
        (copy / ".venv/bin").mkdir(parents=True, exist_ok=True)
        stamped = ("pyproject.toml", "requirements.lock", "requirements-dev.lock", "scripts/setup")
        for file in (*stamped, "scripts/packages.txt"):
            (copy / file).write_bytes((HOME / file).read_bytes())
        (copy / "scripts/setup").chmod(0o755)
        for command in ("python", "image-gateway"):
            (copy / ".venv/bin" / command).write_text("#!/bin/sh\n")
            (copy / ".venv/bin" / command).chmod(0o755)
        stamp = subprocess.run(["sha256sum", *stamped], cwd=copy, capture_output=True, text=True, check=True).stdout
        (copy / ".venv/.made-to-run").write_text(f"{stamp}{copy}\n")
        environ = {"PATH": os.environ["PATH"], "PREFIX": str(tmp_path)}
        return subprocess.run([copy / "scripts/setup"], env=environ, capture_output=True, text=True, check=False)

    return run


def test_setup_puts_the_command_on_the_path_and_leaves_that_of_another_checkout(
    checkout: Setup, tmp_path: Path
) -> None:
    link = tmp_path / "bin/image-gateway"
    first = checkout("first")
    assert (first.returncode, link.readlink()) == (0, tmp_path / "first/.venv/bin/image-gateway")
    assert f"the command image-gateway is {link}" in first.stderr
    assert checkout("first").stderr == "", "a second run has nothing to do"
    assert checkout("second").returncode == 0
    assert link.readlink() == tmp_path / "first/.venv/bin/image-gateway"
    shutil.rmtree(tmp_path / "first")
    assert checkout("second").returncode == 0
    assert link.readlink() == tmp_path / "second/.venv/bin/image-gateway", "a link to what is gone is replaced"


def test_the_licence_is_the_one_that_the_project_names() -> None:
    text = (HOME / "LICENSE").read_text()
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License\n" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    metadata = distribution("image-gateway").metadata
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_changelog_has_a_section_for_each_version_the_newest_first() -> None:
    sections = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", (HOME / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert sections[0] == ("Unreleased", "")
    assert sections[1][0] == PROJECT["project"]["version"]
    released = [tuple(map(int, version.split("."))) for version, _ in sections[1:]]
    assert released == sorted(released, reverse=True)
    assert released[-1] == (0, 1, 0)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in sections[1:])


def test_what_tests_leave_behind_is_ignored() -> None:
    ignored = (HOME / ".gitignore").read_text().split()
    assert {".schemathesis/", ".hypothesis/", ".pytest_cache/", ".venv/", "var/"} <= {*ignored}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(HOME)}: {match[0]}" for match in pattern.finditer(text)]
    assert not found
