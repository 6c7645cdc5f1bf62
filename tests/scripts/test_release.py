"""`make test-release` where its Debian cannot be made says SKIPPED and why; all else that is wrong is a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
SKIPPED = "SKIPPED: the tests in Debian trixie: "
NO_MOUNTS = ("setpriv", "--bounding-set", "-sys_admin")

needs_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv")


def released(folder: Path, fakes: dict[str, str], *before: str) -> subprocess.CompletedProcess[str]:
    """Run the script with these programs in place of the machine's; the mirror is one that nobody remembers."""
    for name, script in ({"debootstrap": "exit 99"} | fakes).items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    environ = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "TMPDIR": str(folder),
        "MIRROR": f"file://{folder}",
        "PAUSE": "0",
    }
    command = [*before, str(HOME / "scripts/test-release")]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_without_root_it_is_skipped(tmp_path: Path) -> None:
    ended = released(tmp_path, {"id": "echo 1000"})
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == f"{SKIPPED}this is not root\n"


@needs_root
def test_a_root_that_may_not_mount_is_found_out_before_anything_starts(tmp_path: Path) -> None:
    ended = released(tmp_path, {"ip": ""}, *NO_MOUNTS)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.startswith(f"{SKIPPED}this root may not make it: unshare: ")
    assert ended.stderr.count("\n") == 1


@needs_root
@pytest.mark.parametrize(
    ("said", "skipped"), [("Failed getting release file", True), ("Couldn't download packages: make", False)]
)
def test_a_mirror_is_tried_three_times_and_only_one_that_never_answers_is_no_failure(
    tmp_path: Path, said: str, skipped: bool
) -> None:
    ended = released(tmp_path, {"ip": "", "debootstrap": f'echo "E: {said}"; exit 1'})
    if ended.stderr.startswith(f"{SKIPPED}this root may not make it"):
        pytest.skip("this root may not mount, or make devices")
    assert ended.stderr.count(f"E: {said}\n") == ended.stderr.count("of 3: ") == 3
    assert (ended.returncode == 0) is skipped
    unreached = f"{SKIPPED}no mirror of Debian gives this release, or no index Python packages\n"
    assert ended.stderr.endswith(unreached) is skipped
    assert [file.name for file in tmp_path.glob("image-gateway-*")] == []
