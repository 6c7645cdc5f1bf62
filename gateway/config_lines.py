"""Read a YAML document with the line of every key, and report what YAML itself would let pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from gateway.errors import ContractError

Place = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing that is wrong with the configuration, and what would be right."""

    line: int
    file: str
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return f"{where}{self.key}: {self.text}" if self.key else f"{where}{self.text}"


class ConfigError(ContractError):
    """The configuration cannot be used; `mistakes` has all that is wrong with it, in the order of the file."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


class Lines:
    """The document with the line of every key, and the mistakes that YAML itself would let pass."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Place, int] = {}
        self.variables: dict[Place, str] = {}  # what the environment sets
        self.mistakes: list[Mistake] = []

    def read(self, text: str) -> dict[str, Any]:
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            document = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or "cannot be read"
            self.mistakes.append(Mistake(mark.line + 1 if mark else 0, self.file, "", f"not YAML: {problem}"))
            return {}
        if document is None:
            return {}
        if not isinstance(document, dict):
            self.mistakes.append(Mistake(1, self.file, "", "must be a mapping of sections, such as `public:`"))
            return {}
        self._walk(node, ())
        return {key: value for key, value in document.items() if value is not None}

    def _walk(self, node: yaml.Node | None, place: Place) -> None:
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.lines[(*place, index)] = item.start_mark.line + 1
                self._walk(item, (*place, index))
        if not isinstance(node, yaml.MappingNode):
            return
        for key, value in node.value:
            here = (*place, str(key.value))
            if here in self.lines:
                self.mistakes.append(self.mistake(here, f"given twice, here and on line {key.start_mark.line + 1}"))
            self.lines[here] = key.start_mark.line + 1
            self._walk(value, here)

    def mistake(self, place: Place, text: str) -> Mistake:
        """The mistake at a place of the document: the variable that sets it, or the line of the nearest key in the
        file."""
        for end in range(len(place), 0, -1):
            if place[:end] in self.variables:
                return Mistake(0, self.variables[place[:end]], ".".join(map(str, place)), text)
        known = next((place[:end] for end in range(len(place), 0, -1) if place[:end] in self.lines), ())
        return Mistake(self.lines.get(known, 0), self.file, ".".join(map(str, place)), text)
