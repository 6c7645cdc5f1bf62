"""The command `image-gateway`, run in this process against one gateway."""

from __future__ import annotations

import pytest

from service import cli
from tests import gateways


class Terminal:
    """The command, and what it prints."""

    def __init__(self, gateway: gateways.Gateway, capsys: pytest.CaptureFixture[str]) -> None:
        self.api = str(gateway.api.base_url).rstrip("/")
        self._capsys = capsys

    def run(self, *arguments: object, status: int = 0) -> list[str]:
        """Lines of standard output, or of standard error where the command fails."""
        out, errors = self.both(*arguments, status=status)
        return out if status == 0 else errors

    def both(self, *arguments: object, status: int = 0) -> tuple[list[str], list[str]]:
        """Lines of standard output, and of standard error."""
        self._capsys.readouterr()
        ended = cli.main([*map(str, arguments), "--api", self.api])
        said = self._capsys.readouterr()
        assert ended == status, said
        return said.out.splitlines(), said.err.splitlines()
