"""The architecture: which module may import which, read from the source; and what a start does not load."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ORDER = (
    *("__main__", "cli", "gunicorn", "app", "client", "tracing", "api", "metrics", "maintenance", "uploads"),
    *("derivatives", "originals", "outbox", "journal", "supervise", "open_store", "cache", "store", "runtime"),
    "observability",
    *("dialects", "engine"),
)
"""The parts of `service`. Each may import those behind it, and none before it."""

MOST_MODULES = 8
"""That may lie directly in `service/`."""

NO_HTTP = ("engine", "store", "cache")
HTTP = ("aiohttp", "service.api", "service.client")

INPUT_AND_OUTPUT = {
    *("aiohttp", "asyncio", "httpx", "http", "requests", "select", "selectors", "socket", "ssl", "urllib3", "uvloop"),
    *("fcntl", "io", "mmap", "multiprocessing", "os", "shutil", "signal", "sqlite3", "subprocess", "tempfile"),
    *("threading", "PIL", "keystoneauth1", "swiftclient", "wand"),
}
"""Modules that the contract does not import: it computes, and others read and send."""


@dataclass(frozen=True)
class Import:
    """`module` imports `target` in this line."""

    module: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.module} imports {self.target} (line {self.line})"


def modules(package: str) -> dict[str, Path]:
    """The modules below a package, by their names."""
    files = sorted((ROOT / package).rglob("*.py"))
    names = (".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files)
    return dict(zip(names, files, strict=True))


@functools.cache
def imports(package: str) -> list[Import]:
    """What the modules of a package import, also inside functions, under `if TYPE_CHECKING` and by relative names."""
    known = modules("service") | modules("gateway")
    return [one for name, file in modules(package).items() for one in _imports(name, file, known)]


def _imports(module: str, file: Path, known: dict[str, Path]) -> Iterator[Import]:
    within = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = within[: len(within) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield Import(module, inner if inner in known else source, node.lineno)


SWIFT = {"swiftclient", "keystoneauth1", "keystoneclient"}
IMAGES = {"PIL", "pillow_heif", "pyvips", "wand"}


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def part(module: str) -> str:
    """The part of `service` that a module belongs to, empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def package_of(module: str) -> str:
    """The innermost package that a module lies in; a package is its own."""
    return module if (ROOT / module.replace(".", "/")).is_dir() else module.rpartition(".")[0]


def circles(edges: set[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The groups of nodes that can all reach each other along the edges, by Tarjan's algorithm."""
    after: dict[str, list[str]] = {}
    for start, end in sorted(edges):
        after.setdefault(start, []).append(end)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[tuple[str, ...]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for end in after.get(node, ()):
            if end not in index:
                visit(end)
            if end in stack:
                low[node] = min(low[node], low[end])
        if low[node] == index[node]:
            group = tuple(sorted(stack[stack.index(node) :]))
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(group)

    for node in after:
        if node not in index:
            visit(node)
    return found


def test_every_part_of_the_service_has_its_place_in_the_order() -> None:
    assert {part(name) for name in modules("service")} - {""} == set(ORDER)


def test_no_part_imports_one_above_it() -> None:
    inner = [
        one for one in imports("service") if is_within(one.target, "service") and part(one.module) and part(one.target)
    ]
    assert len(inner) > 500
    upward = [str(one) for one in inner if ORDER.index(part(one.target)) < ORDER.index(part(one.module))]
    assert upward == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles({(one.module, one.target) for one in (*imports("service"), *imports("gateway"))}) == []


def test_no_two_packages_import_each_other() -> None:
    pairs = {
        (package_of(one.module), package_of(one.target))
        for one in imports("service")
        if is_within(one.target, "service")
    }
    mutual = {
        (one, other)
        for one, other in pairs
        if (other, one) in pairs and not is_within(one, other) and not is_within(other, one)
    }
    assert mutual == set()


def test_the_circles_of_a_graph_are_found() -> None:
    chain = {("a", "b"), ("b", "c"), ("a", "c")}
    assert circles(chain) == []
    assert circles(chain | {("c", "a"), ("d", "e"), ("e", "d")}) == [("a", "b", "c"), ("d", "e")]


def test_the_contract_imports_nothing_of_the_rest_and_nothing_that_reads_or_sends() -> None:
    refused = {"service", "nginx", *INPUT_AND_OUTPUT}
    assert [str(one) for one in imports("gateway") if one.target.partition(".")[0] in refused] == []
    libraries = {one.target.partition(".")[0] for one in imports("gateway")} - set(sys.stdlib_module_names)
    assert libraries == {"gateway", "pydantic", "pydantic_core", "yaml"}


def test_engine_store_and_cache_know_no_http_of_ours() -> None:
    knowing = [
        str(one)
        for one in imports("service")
        if part(one.module) in NO_HTTP and any(is_within(one.target, package) for package in HTTP)
    ]
    assert knowing == []


def test_few_modules_lie_directly_in_the_service() -> None:
    loose = [file.name for file in (ROOT / "service").glob("*.py")]
    assert len(loose) <= MOST_MODULES, loose


@pytest.mark.parametrize(
    ("module", "needless"),
    [
        ("service.cli", {"gateway", "httpx", "pydantic", "rich", "uvloop", *SWIFT}),
        ("service.cli.gateway_commands", {"httpx", "pydantic", "rich", "uvloop", "yaml", *SWIFT}),
        ("service.cli.running", {"click", "gateway"}),
        ("service.supervise.up", {"aiohttp", "click", "gateway", "jinja2", "prometheus_client", "pydantic", "yaml"}),
        ("service.supervise.leading", {"aiohttp", "click", "jinja2", "lupa", "uvloop", *IMAGES}),
        ("service.engine.pipeline", {"PIL.PdfImagePlugin", "asyncio", "http", "pydantic", "ssl", "yaml"}),
        ("service.app", {"service.dialects.iiif", "service.dialects.imgproxy", "service.dialects.thumbor"}),
        ("service.app", {"click", "httpx", "jinja2", "lupa", "re2", *IMAGES, *SWIFT}),
    ],
)
def test_a_start_loads_no_client_that_only_others_need(module: str, needless: set[str]) -> None:
    code = f"import sys, {module}; print(*(name for name in {sorted(needless)!r} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_the_product_imports_only_what_is_installed_with_it() -> None:
    """What the tests install besides would be missing on a machine that runs it."""
    names = (re.match(r"[\w.-]+(?===)", line) for line in (ROOT / "requirements.lock").read_text().splitlines())
    installed = {_normalised(name[0]) for name in names if name}
    owners = packages_distributions()
    for one in [*imports("gateway"), *imports("service")]:
        top = one.target.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ("gateway", "service", "nginx"):
            assert installed & set(map(_normalised, owners.get(top, []))), one


def _normalised(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
