"""What is not an image is refused by its content; what an image carries beside its pixels does nothing, and stays."""

from __future__ import annotations

import binascii

import pytest

from tests import images
from tests.gateways import Gateway
from tests.hostile import disguises
from tests.hostile.watch import plant, unharmed

SECRET = b"the-secret-that-no-request-may-see"


@pytest.fixture(scope="module")
def secret(gateway: Gateway) -> str:
    """A file beside the store, which the service may read and no request may."""
    path = gateway.root / "secret.txt"
    path.write_bytes(SECRET)
    return str(path)


def test_what_is_not_an_image_is_refused_under_any_name(gateway: Gateway, secret: str) -> None:
    with unharmed(gateway):
        for name, data in {**disguises.scripts(secret), **disguises.archives()}.items():
            uploaded = gateway.upload(f"up/{name}", data)
            assert uploaded.status_code == (415 if data else 400), (name, uploaded.text)
            plant(gateway, f"in/{name}", data)
            for leaf in ("@w=32.png", "@full.jpg", "@w=32.auto", "@meta.json"):
                derived = gateway.api.get(f"/images/in/{name}/{leaf}")
                assert derived.status_code in (415, 422), (name, leaf, derived.text)
                assert SECRET not in derived.content
    assert not list(gateway.root.rglob("secret.txt.out"))


def test_a_name_is_never_an_order(gateway: Gateway, secret: str) -> None:
    good = images.jpeg(images.photo(64, 48))
    names = (
        *("label:@" + secret.replace("/", "_"), "msl:x.jpg", "mvg:x.jpg", "text:x.jpg", "|id.jpg", "-write.jpg"),
        *("x.jpg[0]", "x%d.jpg", "%s%n.jpg", "https:x.jpg", "ephemeral:x.jpg", "a b;id.jpg", "$(id).jpg", "`id`.jpg"),
        *("x.svg", "x.mvg", "x.msl", "x.pdf", "x.php", "x.html", "*.jpg", "~.jpg", "~root.jpg", ".hidden", ".htaccess"),
    )
    with unharmed(gateway):
        for name in names:
            path = "/images/orders/" + "".join(f"%{byte:02X}" for byte in name.encode())
            assert gateway.api.post(path, content=good).status_code == 201, name
            derived = gateway.public.get(f"{path}/@w=32.png")
            assert (derived.status_code, derived.headers["Content-Type"]) == (200, "image/png"), name
            assert images.pixels(derived.content).shape == (24, 32, 3)


@pytest.mark.parametrize("name", disguises.polyglots())
def test_only_the_image_of_a_polyglot_leaves(gateway: Gateway, name: str) -> None:
    with unharmed(gateway):
        plant(gateway, f"polyglots/{name}", disguises.polyglots()[name])
        for leaf in ("", "/@full.jpg", "/@full.png", "/@full.gif", "/@full.webp", "/@w=32.png"):
            derived = gateway.public.get(f"/images/polyglots/{name}{leaf}")
            assert derived.status_code == 200, derived.text
            assert disguises.PAYLOAD not in derived.content
            assert b"PK\3\4" not in derived.content
            assert derived.headers["Content-Type"].startswith("image/")
            assert derived.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in derived.headers["Content-Security-Policy"]


def test_no_text_in_a_png_makes_anybody_read_a_file(gateway: Gateway, secret: str) -> None:
    told = (SECRET, binascii.hexlify(SECRET), binascii.hexlify(SECRET).upper())
    with unharmed(gateway):
        for path in (secret, "/etc/hostname"):
            for name, data in disguises.profile_reads(path).items():
                for leaf in ("@full.png", "@w=32.png", "@full.jpg", "@w=32.webp", "@full.tif"):
                    plant(gateway, f"reads/{name}", data)
                    derived = gateway.api.get(f"/images/reads/{name}/{leaf}")
                    assert derived.status_code == 200, (name, leaf, derived.text)
                    assert not any(text in derived.content for text in told), (name, leaf)
                    assert b"Raw profile" not in derived.content
                    assert b"iCCP" not in derived.content


def test_absurd_profiles_harm_nobody(gateway: Gateway) -> None:
    with unharmed(gateway):
        for kind, profile in disguises.profiles().items():
            for suffix, data in disguises.with_profile(profile).items():
                plant(gateway, f"icc/{kind}.{suffix}", data)
                for leaf in ("@full.jpg", "@w=16.png", "@w=16,keep=icc.png", "@meta.json"):
                    derived = gateway.api.get(f"/images/icc/{kind}.{suffix}/{leaf}")
                    assert derived.status_code in (200, 400, 422), (kind, suffix, leaf, derived.text)


def test_absurd_exif_harms_nobody(gateway: Gateway) -> None:
    with unharmed(gateway):
        for kind, block in disguises.exif_blocks().items():
            for suffix, encode in (("jpg", images.jpeg), ("png", images.png), ("webp", images.webp)):
                name = f"exif/{kind}.{suffix}"
                plant(gateway, name, encode(images.photo(48, 32), exif=block))
                for leaf in ("@full.jpg", "@w=16.png", "@meta.json"):
                    derived = gateway.api.get(f"/images/{name}/{leaf}")
                    assert derived.status_code in (200, 422), (name, leaf, derived.text)


def test_a_large_comment_in_a_small_file_is_dropped_unread(gateway: Gateway) -> None:
    with unharmed(gateway):
        plant(gateway, "comment.png", disguises.text_bomb())
        stripped = gateway.public.get("/images/comment.png")
        assert stripped.status_code == 200
        assert len(stripped.content) < 10_000
