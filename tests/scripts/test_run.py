"""`make run`, as a person would use it: start, try what it prints, stop it."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.gateways import alive, command_line, descendants, free_ports, write_config
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.nginx]

Start = Callable[[], tuple[subprocess.Popen[str], str]]
RUN = Path(__file__).resolve().parents[2] / "scripts" / "run"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, {}, free_ports(2))


@pytest.fixture
def start(config: Path) -> Iterator[Start]:
    """Starts scripts/run; ends what a failed test has left."""
    started = []

    def run() -> tuple[subprocess.Popen[str], str]:
        """The process, and what it prints until it waits for Ctrl-C."""
        process = subprocess.Popen([sys.executable, RUN, "-c", config], stdout=subprocess.PIPE, text=True)
        started.append(process)
        printed = ""
        while "Ctrl-C here ends it" not in printed:
            assert process.stdout
            line = process.stdout.readline()
            assert line, f"ended with {process.wait()}: {printed}"
            printed += line
        return process, printed

    yield run
    for process in started:
        process.terminate()
        process.communicate()


def stop(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """End it by a signal; nothing that it started is left."""
    started = descendants(process.pid)
    assert any("nginx" in command_line(pid) for pid in started)
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert not [command_line(pid) for pid in started if alive(pid)]


def test_what_it_prints_works_as_copied_and_a_second_run_finds_the_photograph_in_place(
    start: Start, tmp_path: Path
) -> None:
    process, printed = start()
    assert "holds this terminal" in printed
    urls = re.findall(r"^  (http://\S+/images/photos/cat\S+)", printed, re.MULTILINE)
    assert len(urls) == 5
    for url in urls:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            assert answer.headers["Content-Type"].startswith("image/")
    commands = re.findall(r"^  (curl .*?)(?:  .*)?$", printed, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        shell = ["sh", "-c", command.replace("curl", "curl -fsS")]
        subprocess.run(shell, cwd=tmp_path, timeout=PATIENCE, check=True, stdout=subprocess.PIPE)
    assert (tmp_path / "@full.jpg").read_bytes()[:2] == b"\xff\xd8"
    stop(process, signal.SIGINT)
    process, _ = start()
    stop(process, signal.SIGTERM)


def listed(config: Path) -> list[str]:
    """The names of all originals, as the API lists them."""
    api = yaml.safe_load(config.read_text())["api"]["listen"]
    with urllib.request.urlopen(f"http://{api}/images", timeout=PATIENCE) as answer:
        return [image["name"] for image in json.load(answer)["images"]]


@pytest.mark.parametrize("folder", ["the same folder", "another folder"])
def test_a_second_run_ends_with_its_error_and_touches_the_first_one_not(
    start: Start, config: Path, folder: str
) -> None:
    start()
    api = yaml.safe_load(config.read_text())["api"]["listen"]
    remove = urllib.request.Request(f"http://{api}/images/photos/cat.jpg", method="DELETE")
    urllib.request.urlopen(remove, timeout=PATIENCE).close()
    second = config
    if folder == "another folder":
        second = config.parent / "second" / "config.yaml"
        second.parent.mkdir()
        second.write_bytes(config.read_bytes())
    answer = subprocess.run(
        [sys.executable, RUN, "-c", second], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert answer.returncode == 1
    assert ("in use by another gateway" if second == config else "stop what listens there") in answer.stderr
    assert answer.stdout == ""
    assert listed(config) == []


def test_a_terminal_that_is_closed_leaves_no_process_behind(start: Start) -> None:
    process, _ = start()
    stop(process, signal.SIGHUP)


def test_a_configuration_that_cannot_be_used_is_said_and_nothing_starts(config: Path) -> None:
    config.write_text("public: {listen: 1}\n")
    answer = subprocess.run([sys.executable, RUN, "-c", config], capture_output=True, text=True, check=False)
    assert answer.returncode != 0
    assert "config.yaml:1: public.listen" in answer.stderr
    assert "Traceback" not in answer.stderr
