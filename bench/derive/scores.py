"""SSIMULACRA2 of what was made, against the original; `bench/score.py` computes it in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import mean

from bench import peers
from bench.derive.turns import Found
from service.engine.jxl import reading as jxl
from service.engine.recognise import recognise


def score(original: Path, results: Iterable[Found]) -> None:
    """Note the mean score of the files that each server made of an original, and that of each step of a ladder."""
    results = list(results)
    readable = {file: _readable(file) for found in results for file in (*found.files, *found.ladder)}
    scores = _scores({str(original): [str(file) for file in readable.values()]})
    for found in results:
        found.score = mean(scores[str(readable[file])] for file in found.files)
        found.curve = [(scores[str(readable[file])], file.stat().st_size) for file in found.ladder]


def _readable(file: Path) -> Path:
    """A file that Pillow reads: of a JPEG XL a PNG beside it."""
    header = recognise(file)
    if header.format != "jxl":
        return file
    path = file.with_suffix(".png")
    jxl.decoded(file.read_bytes(), (header.width, header.height)).save(path)
    return path


def _scores(asked: Mapping[str, list[str]]) -> dict[str, float]:
    python = peers.environment(peers.HERE / "score.txt") / "bin/python"
    command = [python, peers.HERE / "score.py"]
    answer = subprocess.run(command, input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True)
    scores: dict[str, float] = json.loads(answer.stdout)
    return scores
