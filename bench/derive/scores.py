"""SSIMULACRA2 of what was made, against the original; `bench/score.py` computes it in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import mean

from bench import peers
from bench.derive.turns import Found


def score(original: Path, results: Iterable[Found]) -> None:
    """Note the mean score of the files that each server made of an original."""
    results = list(results)
    scores = _scores({str(original): [str(file) for found in results for file in found.files]})
    for found in results:
        found.score = mean(scores[str(file)] for file in found.files)


def _scores(asked: Mapping[str, list[str]]) -> dict[str, float]:
    python = peers.environment(peers.HERE / "score.txt") / "bin/python"
    command = [python, peers.HERE / "score.py"]
    answer = subprocess.run(command, input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True)
    scores: dict[str, float] = json.loads(answer.stdout)
    return scores
