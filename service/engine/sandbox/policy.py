"""Write ImageMagick's policy.xml: it allows only the configured formats.

ImageMagick reads the policies of `MAGICK_CONFIGURE_PATH` before the system's and applies both. For coders, modules,
delegates and paths the last match decides, for resources the first (seen in 6.9.11). So a system policy can allow what
this one forbids; `prove_policy` tries it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template

from service.engine.environment import environment
from service.engine.formats import FORMATS

_TEMPLATE = Template(Path(__file__).with_name("policy.xml.template").read_text())


@dataclass(frozen=True, slots=True)
class PolicyLimits:
    """The limits of one ImageMagick process: bytes of memory, pixels of one frame, pixels of a side, frames."""

    memory: int
    pixels: int
    side: int
    frames: int


def render_policy(formats_in: Iterable[str], formats_out: Iterable[str], limits: PolicyLimits) -> str:
    """The text of policy.xml. Formats are words of the vocabulary; those in may be read, those out also written.

    What is written may be read too, since the engine looks at what it made. Raises KeyError for a format that
    ImageMagick has no coder of.
    """
    written = sorted(set(formats_out))
    formats = sorted({*formats_in, *written})
    rows = {word: FORMATS[word] for word in formats}
    coders = {coder for row in rows.values() for coder in row.coders}
    modules = {row.module or row.coder for row in rows.values()}
    rules = [_rule("module", "read | write", modules | coders)]  # 6.9 asks by coder, 7 by module
    for word, row in rows.items():
        rules.append(_rule("coder", "read | write" if word in written else "read", row.coders))
    return _TEMPLATE.substitute(
        memory=limits.memory,
        pixels=limits.pixels,
        side=limits.side,
        frames=limits.frames + 1,  # it ends the process where a list is as long as this
        allowed="\n".join(rules),
    )


def write_configuration(
    directory: Path, formats_in: Iterable[str], formats_out: Iterable[str], limits: PolicyLimits
) -> None:
    """Write the policy into `directory`, for `MAGICK_CONFIGURE_PATH`. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    finished = directory / "policy.xml.new"
    finished.write_text(render_policy(formats_in, formats_out, limits))
    finished.replace(directory / "policy.xml")


def prove_policy(directory: Path) -> dict[str, str]:
    """Try, in a process that is configured as the engine's are, what must be refused.

    By attempt (`read label:@secret.txt`, `content of sample.svg`, ...): "" where ImageMagick refused, else what it
    did. Raises OSError when the attempts cannot be made.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tried = subprocess.run(
            [sys.executable, "-P", "-m", "service.engine.sandbox.probe"],
            cwd=scratch,
            env=environment(directory.absolute()),
            capture_output=True,
            check=False,
            timeout=120,
        )
    if tried.returncode:
        raise OSError(f"the policy cannot be tried: {tried.stderr.decode(errors='replace').strip()[-200:]}")
    outcome: dict[str, str] = json.loads(tried.stdout)
    return outcome


def _rule(domain: str, rights: str, names: Iterable[str]) -> str:
    return f'  <policy domain="{domain}" rights="{rights}" pattern="{{{",".join(sorted(names))}}}"/>'
