from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from service.engine.sandbox.policy import PolicyLimits, prove_policy, render_policy, write_configuration

LIMITS = PolicyLimits(memory=1 << 30, pixels=10**8, side=65535, frames=500)


def policies(text: str) -> list[dict[str, str]]:
    return [element.attrib for element in ElementTree.fromstring(text)]


def allowed(text: str, right: str) -> set[str]:
    """The coders that the last matching rule lets do this."""
    rules = [rule for rule in policies(text) if rule["domain"] == "coder"]
    assert rules[0] == {"domain": "coder", "rights": "none", "pattern": "*"}
    return {
        coder
        for rule in rules[1:]
        if right in rule["rights"].split(" | ")
        for coder in rule["pattern"][1:-1].split(",")
    }


def test_only_the_named_formats_may_be_read_and_only_those_out_written() -> None:
    text = render_policy(["jpg", "heic"], ["png"], LIMITS)
    assert allowed(text, "write") == {"PNG", "PNG8", "PNG24", "PNG32", "PNG48", "PNG64"}
    assert allowed(text, "read") == allowed(text, "write") | {"JPEG", "JPG", "PJPEG", "HEIC"}


def test_nothing_runs_a_delegate_or_filter_or_reads_a_list_of_files() -> None:
    rules = policies(render_policy(["jpg"], ["jpg"], LIMITS))
    for domain, pattern in (("delegate", "*"), ("filter", "*"), ("module", "*"), ("path", "@*"), ("path", "|*")):
        assert {"domain": domain, "rights": "none", "pattern": pattern} in rules


def test_limits_stand_in_bytes_and_pixels() -> None:
    rules = policies(render_policy(["jpg"], ["jpg"], LIMITS))
    limits = {rule["name"]: rule["value"] for rule in rules if rule["domain"] == "resource"}
    assert (limits["memory"], limits["area"], limits["width"], limits["list-length"], limits["disk"]) == (
        *("1073741824B", "100000000P"),
        *("65535P", "501", "0B"),
    )


@pytest.mark.parametrize("frames", [1, 3])
def test_an_image_may_have_as_many_frames_as_the_limits_allow(frames: int, tmp_path: Path) -> None:
    """ImageMagick 6 ends the process where a list of images has as many as its policy says."""
    write_configuration(tmp_path / "conf", ["gif"], ["gif"], PolicyLimits(1 << 30, 10**8, 65535, frames))
    program, configured = [sys.executable, "-c", FILM, str(frames)], {"MAGICK_CONFIGURE_PATH": str(tmp_path / "conf")}
    done = subprocess.run(program, env=configured, capture_output=True, check=False)
    assert (done.returncode, done.stdout[:6]) == (0, b"GIF89a"), done.stderr.decode()


FILM = """
import sys
from PIL import Image
from service.engine.geometry import Box
from service.engine.magick import writing
from service.engine.picture import Details, Frame, Picture

frames = [Frame(Image.new("RGB", (8, 8), (40 * number, 0, 0)), 50) for number in range(int(sys.argv[1]))]
picture = Picture(frames, Box(0, 0, 8, 8), 1.0, Details())
sys.stdout.buffer.write(writing.gif(picture, writing.Settings(80)))
"""


def test_unknown_format_is_an_error() -> None:
    with pytest.raises(KeyError):
        render_policy(["svg"], [], LIMITS)


def test_everything_else_is_refused_when_tried(tmp_path: Path) -> None:
    formats = ["jpg", "png", "webp", "avif", "gif", "tif", "bmp"]
    write_configuration(tmp_path / "conf", [*formats, "heic"], formats, LIMITS)
    assert [path.name for path in (tmp_path / "conf").iterdir()] == ["policy.xml"]
    outcome = prove_policy(tmp_path / "conf")
    assert {attempt: came for attempt, came in outcome.items() if came} == {}
    for must in ("read label:@secret.txt", "read mvg:sample.mvg", "read msl:sample.msl", "content of sample.svg"):
        assert must in outcome


def test_attempts_tell_a_policy_that_is_open(tmp_path: Path) -> None:
    outcome = prove_policy(tmp_path)
    assert outcome["read xc:red"] == outcome["content of sample.pnm"] == outcome["write miff:"] == "allowed"
    assert sum(bool(came) for came in outcome.values()) > len(outcome) / 3
