"""Header parsers, menders and strippers on damaged files: they refuse, or do what they promise, within bounds.

They run in this process, outside every sandbox but with an engine process's bound on memory, so that a crash ends the
run: the file at hand is made again by its seed and number, or found as `input` in the folder that is printed first.
"""

from __future__ import annotations

import faulthandler
import io
import resource
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from PIL import Image

from service.engine.flaws import Mended
from service.engine.formats import FORMATS, functions
from service.engine.headers import tiff
from service.engine.headers.source import OpenedFile
from service.engine.job import Header, Limits, NotAnImage, TooLarge, Undecodable
from service.engine.jpeg import decode
from service.engine.recognise import declared_format, is_image, missing_part
from service.engine.strip import strip
from service.engine.stripping import NotCopied, icc
from service.originals.acceptance import take
from tests.soak.corpus import corpus, profile_corpus
from tests.soak.findings import Findings
from tests.soak.mutations import damaged

LIMITS = Limits(10**8, 500, 16383, 16383)
MOST_PIXELS = 2_000_000  # of a file that is looked into: an engine process has bounds of its own for more
MEMORY = 512 << 20  # bytes that a file may take beyond what the process had before
SHARED = Path("/dev/shm")
LONGEST = 2.0  # seconds of CPU for one file of at most 40 KB
REFUSALS = (Undecodable, NotAnImage, TooLarge)
_MENDERS = functions(lambda row: row.mender)


class Broken(Exception):
    """A promise that was not kept."""


def run(findings: Findings, seconds: float, first: int = 0) -> str:
    """Try damaged files for so many seconds, from case `first` on. Return a summary."""
    faulthandler.enable()
    case, outcomes = first, Counter[str]()
    with workplace() as folder:
        print(f"soak     parsers  the file at hand is {folder}/input", flush=True)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            outcomes[judged(findings, case, folder)] += 1
            findings.progress(case, _counts(outcomes))
            case += 1
    return f"{case - first} files ({_counts(outcomes)}): {findings.count} findings"


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for `judged`, in memory where that is possible, and the bound on memory while it is there."""
    corpus()  # whose memory does not count
    where = SHARED if SHARED.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="soak-", dir=where) as folder, bounded_memory():
        yield Path(folder)


def _counts(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in outcomes.most_common())


def judged(findings: Findings, case: int, folder: Path) -> str:
    """What became of a case, `found` where it is a finding."""
    kind, data = made(findings.seed, case)
    began = time.process_time()
    try:
        with limited():
            outcome = attempt(kind, data, folder)
    except MemoryError:  # answered 413
        outcome = "large"
    except Exception:
        findings.add(case, traceback.format_exc().rstrip(), data, kind)
        return "found"
    if (took := time.process_time() - began) > LONGEST:
        findings.add(case, f"it took {took:.1f} s of CPU", data, kind)
        return "found"
    return outcome


def made(seed: int, case: int) -> tuple[str, bytes]:
    """The file of a case, and the format of the whole one that it was made from."""
    chance = Random(f"{seed} {case}")
    kind = chance.choice([*corpus(), "icc"])
    if kind == "icc":
        return kind, damaged(chance, chance.choice(profile_corpus()), profile_corpus())
    files = corpus()[kind]
    others = files if chance.random() < 0.7 else corpus()[chance.choice(list(corpus()))]
    return kind, damaged(chance, chance.choice(files), others)


def attempt(kind: str, data: bytes, folder: Path) -> str:
    """What became of a file: `refused`, `not copied`, `copied`. Raises Broken, or whatever a parser raises besides its
    refusals."""
    if kind == "icc":
        return _profile(data)
    file, target, again = folder / "input", folder / "stripped", folder / "again"
    file.write_bytes(data)
    with OpenedFile(file) as source:
        is_image(source)
        declared_format(source)
    try:
        header = take(file, tuple(FORMATS), LIMITS)
    except REFUSALS:
        return "refused"
    if header.width * header.height * header.frames > MOST_PIXELS:
        return "large"
    try:
        missing_part(file)
        _delays(file, header)
        flaws = _mend(file, header)
        if header.format == "jpg":
            decode.examine(file, (header.width, header.height))
        if not strip(file, target, header):
            return "not copied"
    except REFUSALS:
        return "damaged"
    _judge(target, again, header)
    seen = None if flaws or _is_later_page(file, header) else shown(file)  # of flaws decoders make this or that
    if seen is not None and seen != shown(target):
        raise Broken("the stripped file shows other pixels")
    return "copied"


def _is_later_page(file: Path, header: Header) -> bool:
    """Whether the picture of a TIFF is not its first page."""
    if header.format != "tif":
        return False
    with OpenedFile(file) as source:
        return tiff.picture(source, 0).offset != next(tiff.directories(source)).offset


def _delays(file: Path, header: Header) -> None:
    delays = FORMATS[header.format].delays
    if delays and header.frames > 1:
        with OpenedFile(file) as source:
            found = delays(source)
        if not all(isinstance(one, int) and one >= 0 for one in found):
            raise Broken(f"delays {found}")


def _mend(file: Path, header: Header) -> list[str]:
    """The flaws of a file. What is mended of them is whole, and has the size it had."""
    if header.format not in _MENDERS:
        return []
    with OpenedFile(file) as source:
        mended: Mended = _MENDERS[header.format](source, True)
        pieces = [piece if isinstance(piece, bytes) else b"".join(piece.chunks()) for piece in mended.pieces]
    if not pieces:
        return mended.flaws
    other = file.with_name("mended")
    other.write_bytes(b"".join(pieces))
    now = take(other, tuple(FORMATS), LIMITS)
    if (now.format, now.width, now.height) != (header.format, header.width, header.height):
        raise Broken(f"mended from {header} to {now}")
    return mended.flaws


def _judge(target: Path, again: Path, before: Header) -> None:
    """The stripped file is whole, the same image, and minimal."""
    after = take(target, tuple(FORMATS), LIMITS)
    frames = 1 if before.format == "tif" else before.frames  # of pages the first is copied
    if (after.format, after.width, after.height, after.frames) != (before.format, before.width, before.height, frames):
        raise Broken(f"stripped from {before} to {after}")
    if missing := missing_part(target):
        raise Broken(f"the stripped file is not whole: {missing}")
    if not strip(target, again, after):
        raise Broken("the stripped file cannot be stripped")
    if before.format != "jpg" and target.read_bytes() != again.read_bytes():
        raise Broken("stripping twice is not stripping once")


def shown(file: Path) -> bytes | None:
    """The first frame as Pillow shows it; None where it shows none."""
    try:
        with Image.open(io.BytesIO(file.read_bytes())) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            return image.convert("RGBA").tobytes()
    except Exception:  # Pillow raises nearly everything over damaged files
        return None


def _profile(data: bytes) -> str:
    """What is kept of a profile is a profile of which the same is kept."""
    try:
        kept = icc.to_keep(data)
    except NotCopied:
        return "not copied"
    if not kept:
        return "refused"
    if icc.to_keep(kept) != kept:
        raise Broken("what is kept of a profile is not kept as it is")
    return "copied"


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let the process have MEMORY more than it has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def limited() -> Iterator[None]:
    """Raise TimeoutError where Python runs for ten times as long as it may."""

    def late(_number: int, _frame: object) -> None:
        raise TimeoutError(f"more than {10 * LONGEST:g} s of CPU")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, 10 * LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
