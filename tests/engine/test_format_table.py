"""Each fact about a format stands once: in gateway/vocabulary.json or in service/engine/formats.py."""

from __future__ import annotations

import ast
import json
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from gateway import rules
from service.engine.format_row import Format
from service.engine.formats import FORMATS

ROOT = Path(__file__).parents[2]
CODE = ("gateway", "service")

ROW = """
    "ppm": {"type": "image/x-portable-pixmap", "aliases": ["pnm"], "alpha": false, "quality": 70, "negotiated": 3,
            "signatures": [{"0": "50360a"}], "meaning": "Portable pixmap"},
"""
TABLE = '''
from service.engine.headers.source import Source
from service.engine.job import Header

class _Ppm:
    """`P6`, width and height, each in a line."""

    @staticmethod
    def begins(head: bytes, _: Source) -> bool:
        return head.startswith(b"P6\\n")

    @staticmethod
    def header(source: Source) -> Header:
        return Header("ppm", *map(int, source.head(64).split(b"\\n")[1].split()))

    @staticmethod
    def missing(source: Source) -> str | None:
        return None


FORMATS = {**FORMATS, "ppm": Format(_Ppm, "PPM", rounds=1)}
'''
USE = """
import json, sys
from pathlib import Path
from gateway.lua_contract import LuaContract
from gateway.config import rules_of
from gateway.media_types import media_type
from gateway.names import parse
from gateway.settings import Config
from service.cache.recency import fresh_atime
from service.engine.job import Job, Limits
from service.engine.pipeline import capabilities, derive
from service.engine.recognise import recognise
from service.engine.sandbox.policy import PolicyLimits, render_policy
from service.store.content import content_type

config = Config.model_validate({"formats": {"accept": ["ppm"], "out": ["png", "ppm"], "negotiate": ["ppm"]}})
folder = Path(sys.argv[1])
(folder / "in").write_bytes(b"P6\\n4 3\\n255\\n" + bytes(range(36)))
for source, format, target in (("in", "png", "between"), ("between", "ppm", "out")):
    path = folder / source
    derive(Job("derive", str(path), recognise(path), Limits(100, 1, 9, 9), {}, format, str(folder / target)))
with (folder / "out").open("rb") as file:
    kind = content_type(file.fileno())
print(json.dumps({
    "name": str(parse("cat/@w=300,bg=ff000080,rot=5.pnm", "", rules_of(config))),
    "bytes kept": (folder / "out").read_bytes()[-36:] == bytes(range(36)),
    "content type": kind,
    "media type": [media_type(b"P6\\n"), LuaContract(rules_of(config)).media_type("P6\\n")],
    "negotiated": LuaContract(rules_of(config)).bucket("image/x-portable-pixmap"),
    "can": capabilities()["ppm"],
    "policy": "PPM" in render_policy(["ppm"], [], PolicyLimits(1, 1, 1, 1)),
    "rounds": fresh_atime("x.ppm", 10**6),
}))
"""


def test_a_made_up_format_is_added_in_two_files(tmp_path: Path) -> None:
    for folder in CODE:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    vocabulary, table = tmp_path / "gateway/vocabulary.json", tmp_path / "service/engine/formats.py"
    before, place = vocabulary.read_text(), '    "jpg": {"type"'
    vocabulary.write_text(before.replace(place, ROW + place))
    table.write_text(table.read_text().replace("\n\ndef functions(", f"{TABLE}\n\ndef functions("))

    used = subprocess.run(
        [sys.executable, "-P", "-c", USE, tmp_path], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, check=False
    )
    assert used.returncode == 0, used.stderr.decode()
    assert json.loads(used.stdout) == {
        "name": "cat/@w=300,rot=5,bg=ff0000.ppm",
        "bytes kept": True,
        "content type": "image/x-portable-pixmap",
        "media type": ["image/x-portable-pixmap"] * 2,
        "negotiated": "ppm",
        "can": [True, True],
        "policy": True,
        "rounds": 1,
    }
    assert sorted(_changed(tmp_path)) == ["gateway/vocabulary.json", "service/engine/formats.py"]


def _changed(copy: Path) -> Iterator[str]:
    for folder in CODE:
        for path in (copy / folder).rglob("*"):
            name = path.relative_to(copy)
            if path.is_file() and "__pycache__" not in name.parts and path.read_bytes() != (ROOT / name).read_bytes():
                yield str(name)


def test_both_tables_have_the_same_formats() -> None:
    assert set(FORMATS) == set(rules.ORIGINAL_FORMATS)


def test_no_fact_is_in_both_tables() -> None:
    of_names = {key for row in rules.VOCABULARY["formats"].values() for key in row}
    assert of_names.isdisjoint(field.name for field in fields(Format))


@pytest.mark.parametrize("word", FORMATS)
def test_the_functions_that_a_row_refers_to_are_there(word: str) -> None:
    row = FORMATS[word]
    referred = (row.magick_reader, row.magick_writer, row.pillow_writer, row.stripper, row.stated)
    for reference in (*referred, row.exif, row.provenance, row.embedder):
        assert not reference or callable(pkgutil.resolve_name(reference))


def test_no_other_module_lists_formats() -> None:
    """A collection that names several formats, or content types, is a second table."""
    words = {*rules.ORIGINAL_FORMATS, *rules.FORMAT_ALIASES, *rules.ORIGINAL_TYPES.values()}
    tables = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in CODE
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict) and len(_named(node) & words) > 1
    }
    tables |= {
        str(path.relative_to(ROOT))
        for folder in ("gateway", "nginx")
        for path in sorted((ROOT / folder).rglob("*.lua"))
        if len(set(re.findall('"([^"]*)"', path.read_text())) & words) > 1
    }
    assert {place.partition(":")[0] for place in tables} <= ELSEWHERE.keys()


ELSEWHERE = {
    "gateway/negotiate.lua": "the same as its twin",
    "gateway/negotiate.py": "the base formats, which every client can show",
    "gateway/samples.py": "Accept headers, to compare the twins",
    "service/dialects/iiif/info.py": "what IIIF's level 2 takes for granted",
    "service/dialects/imgproxy/encoding.py": "what imgproxy prefers among formats",
    "service/engine/formats.py": "the table",
    "service/engine/headers/isobmff.py": "one parser of two formats, which it tells apart",
}


def _named(node: ast.Tuple | ast.List | ast.Set | ast.Dict) -> set[object]:
    entries = [*node.keys, *node.values] if isinstance(node, ast.Dict) else node.elts
    return {entry.value for entry in entries if isinstance(entry, ast.Constant)}


def test_what_asks_for_headers_or_rounds_loads_no_decoder() -> None:
    asking = "service.engine.recognise, service.cache.recency, service.engine.sandbox.policy"
    code = f"import sys, {asking}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"PIL", "wand"}.isdisjoint(loaded.stdout.split())
