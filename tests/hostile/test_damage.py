"""Damaged images are refused as damaged, at the upload and when one was put into the store by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from service.engine.job import EngineError, Job, Limits, NotAnImage, TooLarge, Undecodable
from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from service.engine.recognise import recognise
from service.engine.sandbox.policy import PolicyLimits, write_configuration
from tests import images
from tests.counts import examples
from tests.gateways import Gateway, running_gateway
from tests.hostile.damage import broken_scans, corruptions, truncations, whole
from tests.hostile.watch import plant, unharmed

pytestmark = pytest.mark.slow

THROUGH_ALL, IN_THE_ENGINE = examples(16), examples(60)  # corruptions of each file
LIMITS = Limits(100_000_000, 500, 4096, 4096)


@pytest.mark.parametrize("name", whole())
def test_a_truncated_image_is_refused_wherever_it_was_cut(gateway: Gateway, name: str) -> None:
    data = whole()[name]
    with unharmed(gateway):
        assert gateway.upload(f"whole/{name}", data).status_code == 201
        for part, cut in enumerate(truncations(data)):
            uploaded = gateway.upload(f"cut/{part}/{name}", cut)
            if uploaded.status_code == 201:  # nothing that its pixels need was cut off
                assert_whole(gateway, f"cut/{part}/{name}", f"whole/{name}")
                continue
            assert uploaded.status_code in (415, 422), (part, uploaded.text)
            plant(gateway, f"planted/{part}/{name}", cut)
            for leaf in ("@full.png", "@w=8.jpg", "@meta.json"):
                derived = gateway.api.get(f"/images/planted/{part}/{name}/{leaf}")
                assert derived.status_code in (415, 422), (part, leaf, derived.text)
                assert derived.headers["Content-Type"] == "application/problem+json"


def assert_whole(gateway: Gateway, cut: str, whole: str) -> None:
    """The picture that was cut says so, and shows what the whole one does."""
    assert gateway.api.get(f"/images/{cut}/@meta.json").json()["flaws"]
    assert gateway.api.get(f"/images/{cut}/@w=8.png").content == gateway.api.get(f"/images/{whole}/@w=8.png").content


@pytest.mark.parametrize(("name", "data"), list(broken_scans()), ids=lambda part: part if isinstance(part, str) else "")
def test_a_jpeg_whose_data_are_damaged_is_refused_at_the_door_and_in_the_house(
    gateway: Gateway, name: str, data: bytes
) -> None:
    with unharmed(gateway):
        uploaded = gateway.upload(f"broken/{name}", data)
        assert uploaded.status_code == 422, uploaded.text
        assert uploaded.json()["detail"].startswith("the image is damaged: "), uploaded.text
        assert gateway.api.get(f"/images/broken/{name}?original=true").status_code == 404
        plant(gateway, f"in/{name}", data)
        for leaf in ("", "/@full.jpg", "/@full.png", "/@w=64.jpg", "/@w=64,h=64,fit=cover.webp"):
            derived = gateway.public.get(f"/images/in/{name}{leaf}")
            assert derived.status_code == 422, (leaf, derived.text)
            assert derived.headers["Content-Type"] == "application/problem+json"
            assert derived.json()["detail"] == uploaded.json()["detail"]


@pytest.mark.parametrize("name", whole())
def test_no_single_byte_brings_anything_down(gateway: Gateway, name: str) -> None:
    path = f"corrupt/{name}"
    with unharmed(gateway):
        for number, changed in enumerate(corruptions(whole()[name], THROUGH_ALL, name)):
            uploaded = gateway.upload(path, changed, replace="true")
            assert uploaded.status_code in (201, 413, 415, 422), (number, uploaded.text)
            if uploaded.status_code == 201:
                derived = gateway.api.get(f"/images/{path}/@w=8,h=8.png")
                assert derived.status_code in (200, 413, 422), (number, derived.text)
                assert derived.status_code != 200 or derived.content.startswith(b"\x89PNG")


def test_of_a_truncated_image_its_beginning_is_shown_where_that_is_asked_for(tmp_path: Path) -> None:
    data = images.jpeg(images.photo(64, 48))
    with running_gateway(tmp_path, {"formats": {"tolerate_truncated": True}}) as tolerant, unharmed(tolerant):
        assert tolerant.upload("half.jpg", data[: len(data) // 2]).status_code == 201
        shown = tolerant.public.get("/images/half.jpg/@w=32.png")
        assert shown.status_code == 200
        assert images.pixels(shown.content).shape == (24, 32, 3)


async def test_thousands_of_damaged_files_are_told_as_such_by_one_and_the_same_process(tmp_path: Path) -> None:
    formats = ("jpg", "png", "webp", "avif", "gif", "tif", "bmp", "heic", "ico")
    policy, file = tmp_path / "policy", tmp_path / "work" / "image"
    write_configuration(policy, formats, ("png",), PolicyLimits(512 << 20, LIMITS.pixels, 65535, LIMITS.frames))
    file.parent.mkdir()
    folders = (file.parent,)
    pool = EnginePool(EngineSettings(1, 512 << 20, 1_000_000, 20, 8, policy, folders, folders))
    await pool.start()
    try:
        outcomes = Counter[str]()
        for name, data in whole().items():
            for changed in corruptions(data, IN_THE_ENGINE, f"engine {name}"):
                file.write_bytes(changed)
                outcomes[await _verify(pool, file)] += 1
        assert (len(pool.pids), pool.stats.restarts) == (1, 0)
        assert set(outcomes) == {"taken", "not-an-image", "too-large", "undecodable"}
    finally:
        await pool.close()


async def _verify(pool: EnginePool, file: Path) -> str:
    """What becomes of an upload: `taken`, or the code of its refusal."""
    try:
        header = recognise(file)
        if header.width * header.height * header.frames > LIMITS.pixels // 100:
            return TooLarge.code  # no bomb is what is tried here
        await pool.run(Job("verify", str(file), header, LIMITS), affinity="")
    except (NotAnImage, TooLarge, Undecodable) as error:
        return error.code
    except EngineError as error:
        return f"unforeseen: {error}"
    return "taken"
