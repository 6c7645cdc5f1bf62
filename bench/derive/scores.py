"""SSIMULACRA2 of what was made, against the original; `bench/score.py` computes it in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import mean

from bench import peers
from bench.derive.turns import Found


def score(results: Iterable[tuple[Path, Iterable[Found]]]) -> None:
    """Note the mean score of the files that each server made of an original."""
    found = [(original, one) for original, several in results for one in several]
    asked: dict[str, list[str]] = {}
    for original, one in found:
        asked.setdefault(str(original), []).extend(map(str, one.files))
    scores = _scores(asked)
    for _, one in found:
        one.score = mean(scores[str(file)] for file in one.files)


def _scores(asked: Mapping[str, list[str]]) -> dict[str, float]:
    python = peers.environment(peers.HERE / "score.txt") / "bin/python"
    command = [python, peers.HERE / "score.py"]
    answer = subprocess.run(command, input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True)
    scores: dict[str, float] = json.loads(answer.stdout)
    return scores
