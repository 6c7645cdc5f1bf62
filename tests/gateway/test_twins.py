"""Lua and Python read every request alike, and one that was changed alone is caught."""

import functools
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import checks
from gateway.checks import compare, prove
from gateway.contracts import PythonContract
from gateway.lua_contract import LUA_ROOT, LuaContract
from gateway.questions import observe
from gateway.rules import Rules
from gateway.samples import Request, requests, sequences
from tests.counts import examples
from tests.gateway.requests import RULES, raw_requests
from tests.waiting import little_work

pytestmark = pytest.mark.slow

SIGNED = replace(RULES, access="signed")
PYTHON, LUA = PythonContract(SIGNED), LuaContract(SIGNED)

accepts = st.one_of(
    st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape")),
    st.lists(st.sampled_from(["image/avif", "image/webp", "*/*", ";q=0.5", ";q=1.", ";q=0", ",", " ", '"', "\\"])).map(
        "".join
    ),
)


@settings(max_examples=examples(250))
@given(raw_requests(), accepts)
def test_both_make_the_same_of_every_request(request: tuple[str, str], accept: str) -> None:
    asked = Request(*request, accept)

    assert observe(LUA, asked, SIGNED) == observe(PYTHON, asked, SIGNED)


@settings(max_examples=examples(150))
@given(st.binary(max_size=8))
def test_both_take_the_same_bytes_for_utf8(data: bytes) -> None:
    asked = Request("a" + data.decode("utf-8", "surrogateescape"), "")

    assert observe(LUA, asked, SIGNED) == observe(PYTHON, asked, SIGNED)


def test_both_take_the_same_sequences_for_utf8() -> None:
    for asked in sequences():
        raw = asked.path.encode("utf-8", "surrogateescape")
        seen = observe(PYTHON, asked, SIGNED)

        assert observe(LUA, asked, SIGNED) == seen
        assert ("not valid UTF-8" in seen["name"]) == (raw.decode("utf-8", "ignore").encode() != raw)


@pytest.mark.parametrize(
    "text",
    ["/" * 8192, "%41" * 2700, "%" * 8192, "a/@w=" + "0" * 8000 + "x.jpg", "a/@gam=." + "0" * 8000 + "1.jpg",
     "a/@keep=" + "icc:" * 2000 + "icc.jpg", "a/@crop=" + ":" * 8000 + ".jpg", "a/@" + "," * 8000 + ".jpg",
     "a/@" + "." * 8000, "&" * 8000, "x" * 102400, "\udcff" * 8000],
    ids=lambda text: f"{text[:12]!a}... of {len(text)}",
)  # fmt: skip
def test_both_refuse_long_garbage_alike_and_at_once(text: str) -> None:
    for asked in (Request(text, "", text), Request("a", text)):
        with little_work(2.0):
            assert observe(LUA, asked, SIGNED) == observe(PYTHON, asked, SIGNED)


@pytest.mark.parametrize(
    "rules",
    [
        Rules(),
        SIGNED,
        Rules(out=("jpg", "png"), negotiate=(), default_format="auto", limits={"width": 10, "height": 20, "frames": 1}),
        Rules(presets={f"p{number}": f"w={number + 1},q=70" for number in range(20)}, keep=("icc",), quality={}),
        replace(RULES, ladder=(50, 160, 320, 1000)),
        replace(RULES, required=("logo",), presets={"marked": "w=9,over=credit"}),
    ],
)
def test_the_twins_agree(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "GENERATED", examples(150))
    assert list(compare(rules)) == []


def test_the_twins_agree_on_what_a_start_compares() -> None:
    assert prove(RULES) is None


def test_both_read_the_same_document() -> None:
    assert json.loads(json.dumps(SIGNED.document())) == SIGNED.document()


def test_requests_by_chance_are_the_same_for_the_same_seed_and_of_every_kind() -> None:
    made = list(requests(SIGNED, 1000, 7))
    seen = [observe(PYTHON, request, SIGNED) for request in made]

    assert made == list(requests(SIGNED, 1000, 7)) != list(requests(SIGNED, 1000, 8))
    assert 400 < sum("path" in one for one in seen) < 900
    assert {one["verdict"][:3] for one in seen if "verdict" in one} == {"200", "401", "403"}
    assert {one["format for Accept"] for one in seen} == {"jxl", "avif", "webp", "base"}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with a copy of the Lua, to be changed."""
    (tmp_path / "gateway").mkdir()
    for file in (LUA_ROOT / "gateway").glob("*.lua"):
        shutil.copy(file, tmp_path / "gateway")
    return tmp_path


CHANGES = [
    ("text", "{ 0xED, 0xED, 2, 0x80, 0x9F }", "{ 0xED, 0xED, 2, 0x80, 0xBF }"),
    ("text", "LONGEST_QUOTE = 40", "LONGEST_QUOTE = 41"),
    ("uri", "%%(%x%x)", "%%(%x%x?)"),
    ("uri", 'gsub(part, "%+", " ")', 'gsub(part, "%+", "+")'),
    ("uri", "LONGEST_REQUEST = 8192", "LONGEST_REQUEST = 81920"),
    ("uri", "key == one or", ""),
    ("uri", "sub(key, 1, #one - 1) == sub(one, 1, -2)", "true"),
    ("hints", "min(2, floor(#text / 3))", "floor(#text / 3)"),
    ("hints", "previous == wanted", "previous ~= wanted"),
    ("hints", "count < least", "count <= least"),
    ("names", "LONGEST_IMAGE_NAME = 1024", "LONGEST_IMAGE_NAME = 1023"),
    ("names", 'segment == "." or segment == ".."', 'segment == ".."'),
    ("names", r'or find(name, "\194[\128-\159]")', ""),
    ("names", "merged(under, recipe)", "merged(recipe, under)"),
    ("names", "source = true", "source = nil"),
    ("forms", 'and "h" or "w"', 'and "w" or "h"'),
    ("forms", "lower(text)]", "text]"),
    ("numbers", "MOST_DIGITS = 10", "MOST_DIGITS = 9"),
    ("numbers", "value > floor(high * scale + 0.5)", "value >= floor(high * scale + 0.5)"),
    ("positions", '["1:0"] = "ne"', '["1:0"] = "se"'),
    ("positions", "10000 - offset.value", "10001 - offset.value"),
    ("values", 'sub(digits, 7) == "ff"', 'sub(digits, 7) == "00"'),
    ("equivalence", "* tenths + 5) / 10", "* tenths) / 10"),
    ("equivalence", "degrees >= HALF_TURN", "degrees > HALF_TURN"),
    ("recipes", "ipairs(rules.order) do\n        if recipe[key] then", "pairs(rules.order) do\n        if true then"),
    ("equivalence", "rules.operations[key].encodes ~= false", "true"),
    ("equivalence", "value ~= nil and not contains", "value == nil or not contains"),
    ("rules", "rules.order[place] = row.key", "rules.order[#vocabulary.operations - place + 1] = row.key"),
    ("rules", "rules.aliases[alias] = row.key", "rules.aliases[alias] = nil"),
    ("paths", "LONGEST_SEGMENT = 255", "LONGEST_SEGMENT = 254"),
    ("paths", 'MARKER = "@base"', 'MARKER = "base"'),
    ("paths", 'SMALLER = "@smaller"', 'SMALLER = "smaller"'),
    ("negotiate", "weight > most", "weight >= most"),
    ("negotiate", "LONGEST_ACCEPT = 2048", "LONGEST_ACCEPT = 4096"),
    ("negotiate", "(ranges[media_type] or any_image) - 1", "(ranges[media_type] or any_image)"),
    ("holding", "shape.frames > 1 and not recipe.frame", "shape.frames > 1"),
    ("holding", "floor(width * scale + 0.5)", "floor(width * scale)"),
    ("holding", "width + height", "max(width, height)"),
    ("holding", "rules.memory - beside", "rules.memory or beside"),
    ("holding", "LIBRARIES + PIXEL * pixels", "PIXEL * pixels"),
    ("holding", "SHARE * memory", "0"),
    ("holding", "width * height), rules.memory)", "0), rules.memory)"),
    ("holding", "side <= (row.longest or side)", "side < (row.longest or side + 1)"),
    ("holding", 'recipe.up or recipe.fit == "pad"', "recipe.up"),
    ("marker", "([!-~]+)", "(%S+)"),
    ("marker", "MOST_DIGITS = 15", "MOST_DIGITS = 16"),
    ("marker", r"\n(%-?)(%d+)( ?)(%d*)\n$", r"\n(%-?)(%d+)( ?)(%d*)\n?$"),
    ("marker", '"^([%l%d]+) ([%l%d]+) (', '"^(%l+) (%l+) ('),
    ("marker", 'sign == "-" and -modified or modified', "modified"),
    ("marker", "width and height and frames and modified", "width"),
    ("marker", "source = source", "source = base"),
    ("marker", '"[^ \\n]+"', '"%S+"'),
    ("marker", '"^([%l%d]+)=([%l%d]+)$"', '"^([%l%d]+)=([%l%d]+)"'),
    ("marker", "noted[chosen] = smaller", "noted[chosen] = noted[chosen] or smaller"),
    ("format_choice", 'name.format == "source"', "false"),
    ("format_choice", "chosen == negotiate.BASE", "false"),
    ("format_choice", "not is_whole or", ""),
    ("format_choice", "or chosen == marker.source then", "then"),
    ("format_choice", "if known and (known == chosen or known == marker.source) then", "if known then"),
    ("format_choice", "known == chosen or", ""),
    ("format_choice", "{ chosen, marker.source }", "{ marker.source, chosen }"),
    ("format_choice", "name.fitting_of ~= marker", "not name.fitting"),
    ("cache_tag", '"%%2C"', '","'),
    ("cache_tag", 'or "/"', 'or ""'),
    ("cache_tag", "#tag <= longest", "#tag < longest"),
    ("save_as", "LONGEST_FILENAME = 255", "LONGEST_FILENAME = 256"),
    ("save_as", "lower(extension)", "extension"),
    ("save_as", r"""'["%%\\]'""", r"""'["\\]'"""),
    ("save_as", 'parameters.download and "attachment"', 'parameters.filename and "attachment"'),
    ("ladder", "2 * height * above + width", "2 * height * above"),
    ("ladder", "rung >= width", "rung > width"),
    ("ladder", 'rules.snap == "refuse"', "false"),
    ("presets", "recipe = recipe and canonicalise(recipe, format, rules)", ""),
    ("freshness", "most and STALE[word]", "false"),
    ("freshness", "current and not ends", "current"),
    ("freshness", "floor(ends - now)", "floor(ends - now + 0.5)"),
    ("freshness", "max(0, floor(ends - now))", "floor(ends - now)"),
    ("access", '"\\n" .. ends', '"&" .. ends'),
    ("access", "ends < now", "ends <= now"),
    ("access", "or not key", ""),
    ("access", 'rules.access == "presets"', 'rules.access == "preset"'),
    ("temp_urls", "expires < now", "expires <= now"),
    ("temp_urls", 'HEAD = { "HEAD", "GET" }', 'HEAD = { "HEAD" }'),
    ("temp_urls", '[128] = "sha512"', '[128] = "sha256"'),
    ("temp_urls", "same(_M.sign(signed, expires, path, key, digest, crypto), signature) or found", "true"),
    ("temp_urls", '"[^%w_.~/ -]"', '"[^%w_.~/ \\"-]"'),
    ("temp_urls", "year % 100 ~= 0 or year % 400 == 0", "true"),
    ("temp_urls", "parameters.inline ~= nil", 'parameters.inline == ""'),
    ("media_types", "piece.first + #piece.text - 1", "piece.first + #piece.text - 2"),
    ("media_types", "for place = 17, #box, 4 do", "for place = 13, #box, 4 do"),
]


@pytest.fixture(scope="module")
def caught(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], tuple[checks.Finding, Path]]:
    """What a check finds first after a change, and the folder of the Lua that was changed; each is found once."""

    @functools.cache
    def find(module: str, was: str, becomes: str) -> tuple[checks.Finding, Path]:
        root = tmp_path_factory.mktemp("changed")
        shutil.copytree(LUA_ROOT / "gateway", root / "gateway")
        file = root / "gateway" / f"{module}.lua"
        source = file.read_text("utf-8")
        assert source.count(was) == 1
        file.write_text(source.replace(was, becomes), "utf-8")
        return next(compare(RULES, root)), root

    return find


@pytest.mark.parametrize(("module", "was", "becomes"), CHANGES, ids=[f"{row[0]}: {row[2]}" for row in CHANGES])
def test_a_twin_that_was_changed_alone_is_caught(
    caught: Callable[[str, str, str], tuple[checks.Finding, Path]], module: str, was: str, becomes: str
) -> None:
    found, root = caught(module, was, becomes)

    assert found.where == str(root / "gateway")
    assert "Lua" in found.what or "does not" in found.what
    assert "\n" not in str(found)


def test_a_start_catches_most_of_what_a_check_does(
    caught: Callable[[str, str, str], tuple[checks.Finding, Path]],
) -> None:
    """Both begin with the vectors, so that what a check finds there a start finds too."""
    vectors = [change for change in CHANGES if "vectors.json" in caught(*change)[0].what]
    others = [caught(*change)[1] for change in CHANGES if change not in vectors]
    assert len(vectors) + sum(prove(RULES, root) is not None for root in others) > 0.9 * len(CHANGES)
    assert prove(RULES, caught(*vectors[0])[1]) == caught(*vectors[0])[0].what


def test_a_python_that_was_changed_alone_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.numbers.MOST_DIGITS", 9)

    assert next(compare(RULES)).what.startswith("Python contradicts vectors.json")


@pytest.mark.parametrize("source", ["return {", "return nil", "error('broken')", ""])
def test_lua_that_does_not_load_is_a_finding(copied: Path, source: str) -> None:
    (copied / "gateway" / "recipes.lua").write_text(source)

    assert "does not" in str(next(compare(RULES, copied)))


def test_lua_that_is_missing_is_a_finding(tmp_path: Path) -> None:
    assert "gateway.names does not load" in str(next(compare(RULES, tmp_path)))


def test_findings_are_few_and_hold_no_key(copied: Path) -> None:
    file = copied / "gateway" / "access.lua"
    file.write_text(file.read_text().replace("ends < now", "ends > now").replace("difference == 0", "true"))

    found = list(compare(SIGNED, copied))

    assert 1 < len(found) <= checks.MOST_FINDINGS
    assert not any(key in str(finding) for finding in found for key in SIGNED.keys.values())
