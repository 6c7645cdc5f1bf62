"""npm packages for tests: unpacked once beside the other environments, by the npm that a Python package brings along.

So no test needs npm of the machine, and each package is exactly the one whose digest npm-packages.json has.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import subprocess
from pathlib import Path

from tests.swift.server import environment, environments

REQUIREMENTS = Path(__file__).with_name("npm-requirements.txt")

PACKAGES = Path(__file__).with_name("npm-packages.json")
"""By name and version, what `npm view NAME dist.integrity` says."""


def package(name: str) -> Path:
    """The folder of an npm package, such as openseadragon@6.1.1; without what it depends on."""
    folder = environments() / name
    done = folder / "complete"
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may want it at once
        if not done.exists():
            folder.mkdir(exist_ok=True)
            _unpack(name, folder)
            done.touch()
    return folder / "package"


def _unpack(name: str, folder: Path) -> None:
    programs = environment(REQUIREMENTS) / "bin"
    path = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    npm = [str(programs / "npm"), "pack", "--silent", "--pack-destination", str(folder), name]
    packed = subprocess.run(npm, env=os.environ | path, cwd=folder, check=True, capture_output=True, text=True)
    archive = folder / packed.stdout.split()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert json.loads(PACKAGES.read_text())[name] == f"sha512-{digest}", (
        f"{archive} is another file than the one that the tests know"
    )
    subprocess.run(["tar", "xzf", archive], cwd=folder, check=True)
    archive.unlink()
