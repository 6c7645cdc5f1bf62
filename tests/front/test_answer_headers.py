"""The headers that pages and CDNs ask for: tags to purge by, times of shared caches, the canonical URL, names to save
as. Each way to an answer gives the same: nginx alone, nginx by its Lua, and the service."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from gateway.access import sign
from tests import images
from tests.gateways import Gateway, running_gateway

KEY = "the key of this year"
CAT = images.jpeg(images.photo(160, 120))
PAGES = {
    "public": {
        "url": "https://images.example.org",
        "s_maxage": "1d",
        "stale_while_revalidate": "1m",
        "stale_if_error": "10m",
        "canonical_link": True,
        "cache_tags": {"header": "Cache-Tag", "longest": 80},
        "preset_max_age": {"thumbnail": "30d"},
    },
    "dialects": {"imgproxy": {"prefix": "/imgproxy"}},
}
LONG = "a/" * 40 + "cat.jpg"
SHARED = "s-maxage=86400, stale-while-revalidate=60, stale-if-error=600"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("pages"), PAGES) as running:
        for name in ("photos/cat.jpg", "cat.jpg", "photos/a%2Cb c.jpg", LONG):
            assert running.upload(name, CAT).status_code == 201
        yield running


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {"public": {"access": "signed", "keys": {"k": KEY}}}
    with running_gateway(tmp_path_factory.mktemp("signed"), options) as running:
        assert running.upload("photos/cat.jpg", CAT).status_code == 201
        yield running


def each_way(gateway: Gateway, path: str, query: str) -> dict[str, httpx.Response]:
    """The same image by the service, by nginx alone where it can, and by a spelling that needs Lua."""
    first = gateway.public.get(path)
    assert first.headers["X-Cache"] == "MISS"
    answers = {"service": first, "again": gateway.public.get(path), "lua": gateway.public.get(query)}
    assert [one.headers["X-Cache"] for one in answers.values()] == ["MISS", "HIT-DISK", "HIT-DISK"]
    return answers


@pytest.mark.parametrize(
    ("image", "tags"),
    [
        ("photos/cat.jpg", "photos/cat.jpg,photos/"),
        ("cat.jpg", "cat.jpg,/"),
        ("photos/a,b%20c.jpg", "photos/a%2Cb%20c.jpg,photos/"),
        (LONG, f"@{hashlib.sha256(LONG.encode()).hexdigest()},{'a/' * 40}"),
    ],
)
def test_an_image_has_its_tags_by_every_way(pages: Gateway, image: str, tags: str) -> None:
    answers = each_way(pages, f"/images/{image}/@w=60.png", f"/images/{image}?w=60&format=png")
    assert {way: one.headers["Cache-Tag"] for way, one in answers.items()} == dict.fromkeys(answers, tags)
    assert pages.public.get(f"/images/{image}/@w=61.auto").headers["Cache-Tag"] == tags


def test_an_image_of_another_dialect_has_the_tags_of_its_original(pages: Gateway) -> None:
    url = "/imgproxy/unsafe/w:50/plain/local:///photos/cat.jpg@png"
    for level in ("MISS", "HIT-DISK"):
        answer = pages.public.get(url)
        assert (answer.headers["X-Cache"], answer.headers["Cache-Tag"]) == (level, "photos/cat.jpg,photos/")


def test_a_problem_has_no_tags_and_is_kept_by_no_cache(pages: Gateway) -> None:
    missing = pages.public.get("/images/missing.jpg/@w=60.png")
    assert (missing.status_code, missing.headers["Cache-Control"]) == (404, "no-store")
    assert not {"Cache-Tag", "Link"} & missing.headers.keys()


def test_shared_caches_have_times_of_their_own_by_every_way(pages: Gateway) -> None:
    answers = each_way(pages, "/images/cat.jpg/@w=62.png", "/images/cat.jpg?w=62&format=png")
    assert {one.headers["Cache-Control"] for one in answers.values()} == {f"public, max-age=3600, {SHARED}"}
    answers = each_way(pages, "/images/cat.jpg/@w=50,h=50,sharpen=0.5.png", "/images/cat.jpg/@thumbnail.png")
    assert {one.headers["Cache-Control"] for one in answers.values()} == {f"public, max-age=2592000, {SHARED}"}


def test_the_canonical_url_is_told_by_every_way(pages: Gateway) -> None:
    answers = each_way(pages, "/images/cat.jpg/@w=63.png", "/images/cat.jpg?w=63&format=png&download=1")
    link = '<https://images.example.org/images/cat.jpg/@w=63.png>; rel="canonical"'
    assert {one.headers["Link"] for one in answers.values()} == {link}
    negotiated = pages.public.get("/images/cat.jpg?w=63&format=auto")
    assert negotiated.headers["Link"] == '<https://images.example.org/images/cat.jpg/@w=63.auto>; rel="canonical"'


def test_nothing_is_added_where_nothing_is_configured(signed: Gateway) -> None:
    name = "photos/cat.jpg/@w=60.png"
    for level in ("MISS", "HIT-DISK"):
        answer = signed.public.get(f"/images/{name}?sig=k.{sign(name, KEY)}")
        assert (answer.headers["X-Cache"], answer.headers["Cache-Control"]) == (level, "public, max-age=3600")
        assert not {"cache-tag", "link", "content-disposition"} & {key.lower() for key in answer.headers}


@pytest.mark.parametrize(
    ("query", "disposition"),
    [
        ("download=1", 'attachment; filename="cat.png"'),
        ("filename=holidays", 'inline; filename="holidays.png"'),
        ("filename=holidays.exe&download=true", 'attachment; filename="holidays.exe.png"'),
        ("filename=%E2%82%AC+rates.png", "inline; filename=\"_ rates.png\"; filename*=UTF-8''%E2%82%AC%20rates.png"),
        ("download=false", None),
    ],
)
def test_an_image_is_saved_as_asked_on_both_ports(pages: Gateway, query: str, disposition: str | None) -> None:
    path = f"/images/cat.jpg/@w={70 + len(query)}.png?{query}"
    answers = [pages.public.get(path), pages.public.get(path), pages.api.get(path)]
    assert [one.status_code for one in answers] == [200, 200, 200]
    assert [one.headers["X-Cache"] for one in answers[:2]] == ["MISS", "HIT-DISK"]
    assert [one.headers.get_list("Content-Disposition") for one in answers] == [
        [disposition] if disposition else []
    ] * 3
    assert (pages.derived / f"cat.jpg/@w={70 + len(query)}.png").read_bytes() == answers[2].content


def test_a_name_to_save_as_has_the_extension_of_the_format_that_is_sent(pages: Gateway) -> None:
    for accept, extension in (("image/webp", "webp"), ("image/png,image/jpeg", "jpg")):
        for _ in range(2):
            asked = "/images/cat.jpg?w=69&format=auto&filename=holidays.gif"
            answer = pages.public.get(asked, headers={"Accept": accept})
            assert answer.headers["Content-Disposition"] == f'inline; filename="holidays.{extension}"'


def test_an_original_is_saved_as_asked_on_the_api_port(pages: Gateway) -> None:
    answer = pages.api.get("/images/cat.jpg", params={"original": "1", "download": "1", "filename": "my cat.png"})
    assert answer.content == CAT
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my cat.jpg"'


@pytest.mark.parametrize("query", ["filename=a%0Ab", "filename=", "download=maybe", "filename=" + "x" * 256])
def test_what_is_no_filename_is_refused_on_both_ports(pages: Gateway, query: str) -> None:
    for port in (pages.public, pages.api):
        answer = port.get(f"/images/cat.jpg/@w=60.png?{query}")
        assert answer.status_code in (400, 422)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "Content-Disposition" not in answer.headers


def test_the_command_signs_how_an_image_is_saved(signed: Gateway) -> None:
    command = [sys.executable, "-m", "service", "sign", "-c", str(signed.root / "config.yaml")]
    asked = "photos/cat.jpg?format=png&w=60&download=true&filename=my%20cat"
    url = subprocess.run([*command, asked], capture_output=True, text=True, timeout=120, check=True).stdout.strip()
    saved = signed.public.get(url)
    assert (saved.status_code, saved.headers["Content-Disposition"]) == (200, 'attachment; filename="my cat.png"')


def test_old_signatures_hold_and_do_not_hold_for_what_is_saved(signed: Gateway) -> None:
    name = "photos/cat.jpg/@w=60.png"
    old, new = sign(name, KEY), sign(name, KEY, None, "\ndownload=1\nfilename=me")
    path = f"/images/{name}"
    assert signed.public.get(f"{path}?sig=k.{old}").status_code == 200
    saved = signed.public.get(f"{path}?filename=me&download=1&sig=k.{new}")
    assert (saved.status_code, saved.headers["Content-Disposition"]) == (200, 'attachment; filename="me.png"')
    for query in (f"download=1&sig=k.{old}", f"filename=me&sig=k.{old}", f"sig=k.{new}", f"download=1&sig=k.{new}"):
        assert signed.public.get(f"{path}?{query}").status_code == 403
