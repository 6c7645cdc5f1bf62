"""The published files: a source distribution and a wheel that work without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import httpx
import pytest

from scripts.sample import draw_sample
from tests.gateways import free_ports, write_config

HOME = Path(__file__).resolve().parents[2]
PACKAGES = ("gateway", "nginx", "service")

pytestmark = [pytest.mark.nginx, pytest.mark.slow]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python -m build` makes: the wheel of the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(HOME)]
    subprocess.run(build, check=True, capture_output=True)
    return folder


def test_the_wheel_holds_every_file_of_its_packages_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    ours = {
        str(file.relative_to(HOME)) for package in PACKAGES for file in (HOME / package).rglob("*") if file.is_file()
    }
    assert held == {name for name in ours if "__pycache__" not in name}
    assert {"nginx/nginx.conf.j2", "gateway/vocabulary.json", "nginx/lua/front.lua", "gateway/names.lua"} <= held


def test_the_source_distribution_holds_what_make_needs(built: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "scripts/setup", "scripts/packages.txt", "requirements.lock", "config.yaml"} <= held
    assert not any(name.startswith((".venv/", "var/")) or "__pycache__" in name for name in held)


def test_the_installed_wheel_serves_images_outside_the_checkout(built: Path, tmp_path: Path) -> None:
    """Its dependencies are those of this environment, for no registry is asked."""
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv/bin/python"
    (wheel,) = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    packages = next((tmp_path / "venv/lib").glob("python3*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    (tmp_path / "pictures").mkdir()
    draw_sample(tmp_path / "pictures/cat.jpg", 400, 300)
    public, api = free_ports(2)
    config = write_config(tmp_path, {"store": {"directory": {"root": "pictures"}}}, [public, api])
    command = [str(tmp_path / "venv/bin/image-gateway"), "up", "-c", str(config)]
    environ = {key: text for key, text in os.environ.items() if key != "PYTHONPATH"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path, env=environ, text=True) as process:
        try:
            assert process.stdout and "image gateway is up" in process.stdout.readline()
            loaded = subprocess.run(
                [python, "-c", "import service; print(service.__file__)"],
                capture_output=True,
                check=True,
                text=True,
                cwd=tmp_path,
            )
            assert Path(loaded.stdout.strip()).is_relative_to(tmp_path / "venv")
            made = httpx.get(f"http://127.0.0.1:{public}/images/cat.jpg/@w=30.webp", timeout=60, trust_env=False)
            assert (made.status_code, made.headers["content-type"]) == (200, "image/webp")
        finally:
            process.terminate()
