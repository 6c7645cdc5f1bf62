"""Overlays lie where the recipe says, as strong and as large as it says, on every frame, under both libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from service.engine.job import Library, Overlay
from service.engine.overlays.lettering import lettered
from tests import images
from tests.engine.deriving import Made, derive

GROUND = (40, 120, 200)

both = pytest.mark.parametrize("library", ["auto", "imagemagick"])


@pytest.fixture(scope="module")
def logo(tmp_path_factory: pytest.TempPathFactory) -> Overlay:
    """40 by 20 pixels: the left half opaque red, the right half green at half its strength."""
    picture = Image.new("RGBA", (40, 20), (255, 0, 0, 255))
    picture.paste((0, 255, 0, 128), (20, 0, 40, 20))
    path = tmp_path_factory.mktemp("overlays") / "logo.png"
    picture.save(path)
    return Overlay(file=str(path))


def laid(data: bytes, value: str, overlays: dict[str, Overlay], more: str = "", kind: str = "png", **job: Any) -> Made:
    return derive(data, ",".join(filter(None, (more, f"over={value}"))), kind, overlays=overlays, **job)


def ground(width: int = 200, height: int = 100) -> bytes:
    return images.png(images.flat(width, height, GROUND))


def expected(box: tuple[int, int], opacity: float = 1.0, size: tuple[int, int] = (200, 100)) -> NDArray[np.float64]:
    """What the formula of "over" (Porter and Duff, 1984) gives of the logo at `box` on the ground."""
    result = np.tile(np.array(GROUND, float), (size[1], size[0], 1))
    left, top = box
    for start, colour, alpha in ((0, (255, 0, 0), 1.0), (20, (0, 255, 0), 128 / 255)):
        part = np.s_[top : top + 20, left + start : left + start + 20]
        result[part] += alpha * opacity * (np.array(colour) - result[part])
    return result


@both
@pytest.mark.parametrize(
    ("value", "box"),
    [
        ("logo.0", (160, 80)),
        ("logo.0:nw", (0, 0)),
        ("logo.0:ne:3:7", (157, 7)),
        ("logo.0:sw:2p:10p", (4, 70)),
        ("logo.0:center", (80, 40)),
        ("logo.0:n:5:5", (80, 5)),
        ("logo.0:e:5:5", (155, 40)),
    ],
)
def test_an_overlay_lies_where_its_place_and_offsets_say(
    value: str, box: tuple[int, int], logo: Overlay, library: Library
) -> None:
    made = laid(ground(), value, {"logo": logo}, library=library).pixels()
    assert np.abs(made - expected(box)).max() <= 1


@both
def test_opacity_weakens_an_overlay(logo: Overlay, library: Library) -> None:
    made = laid(ground(), "logo.0:nw:0:0:0.5", {"logo": logo}, library=library).pixels()
    assert np.abs(made - expected((0, 0), 0.5)).max() <= 2


@both
def test_scale_is_a_share_of_the_width_of_the_result(logo: Overlay, library: Library) -> None:
    data = images.png(images.flat(400, 200, GROUND))
    made = laid(data, "logo.0:nw:0:0:1:40p", {"logo": logo}, "w=200", library=library).pixels()
    assert np.abs(made[:32, :32] - (255, 0, 0)).max() <= 2
    assert np.abs(made[44:] - GROUND).max() <= 2
    assert np.abs(made[:, 84:] - GROUND).max() <= 2


def test_an_overlay_that_is_larger_than_the_picture_is_made_smaller(logo: Overlay) -> None:
    made = laid(images.png(images.flat(20, 20, GROUND)), "logo.0:nw", {"logo": logo}).pixels()
    assert np.abs(made[:9, :9] - (255, 0, 0)).max() <= 3
    assert np.abs(made[11:] - GROUND).max() <= 3


def test_several_lie_one_on_the_other(logo: Overlay, tmp_path: Path) -> None:
    path = tmp_path / "badge.png"
    Image.new("RGB", (10, 10), (9, 9, 9)).save(path)
    made = laid(ground(), "logo.0:nw~badge.1:nw:5:5", {"logo": logo, "badge": Overlay(file=str(path))}).pixels()
    wanted = expected((0, 0))
    wanted[5:15, 5:15] = 9
    assert np.abs(made - wanted).max() <= 1


@both
def test_transparency_below_an_overlay_is_composed_too(logo: Overlay, library: Library) -> None:
    clear = images.encode(np.zeros((100, 200, 4), np.uint8), "PNG")
    made = laid(clear, "logo.0:nw", {"logo": logo}, library=library).pixels("RGBA")
    assert tuple(made[5, 5]) == (255, 0, 0, 255)
    assert np.abs(made[5, 30] - (0, 255, 0, 128)).max() <= 1
    assert made[50, 100, 3] == 0


def test_a_gray_picture_takes_a_coloured_overlay(logo: Overlay) -> None:
    made = laid(images.png_gray(200, 100), "logo.0:nw", {"logo": logo}).pixels()
    assert tuple(made[5, 5]) == (255, 0, 0)


@both
@pytest.mark.parametrize("kind", ["png", "webp", "gif"])
def test_all_frames_of_an_animation_bear_it(kind: str, logo: Overlay, library: Library) -> None:
    made = laid(images.apng(4), "logo.0:nw", {"logo": logo}, kind=kind, library=library).pillow()
    assert made.n_frames == 4  # type: ignore[attr-defined]
    for number in range(4):
        made.seek(number)
        assert np.abs(np.asarray(made.convert("RGB"), int)[4:16, 4:16].mean((0, 1)) - (255, 0, 0)).max() < 30


@pytest.mark.parametrize(
    "more",
    [
        "w=150,h=150,fit=pad,bg=ffffff", "w=150,h=150,fit=pad,bg=ffffff,g=n", "rot=90,w=100", "rot=30,bg=ffffff",
        "mask=ellipse", "radius=max", "flip=h,w=100,h=300,fit=pad,g=n,bg=ffffff", "bitonal=1", "colors=2", "bri=100",
        "w=100,h=300,fit=pad,g=nw,bg=ffffff,rot=200", "negate=1,blur=20", "pixelate=64",
    ],
)  # fmt: skip
def test_an_overlay_lies_on_the_picture_and_not_beside_it_whatever_else_is_asked(more: str, logo: Overlay) -> None:
    """So it cannot be cut off with a border that the recipe has added, nor spoils it by another operation."""
    picture = images.photo(200, 100)
    bare = derive(images.png(picture), f"{more},gray=1".replace("rot=", "bri=-100,rot="), "png").pixels("RGBA")
    made = laid(images.png(picture), "logo.0", {"logo": logo}, more).pixels("RGBA")
    red = np.argwhere(np.abs(made[..., :3] - (255, 0, 0)).max(-1) <= 1)
    assert len(red) >= 100
    top, left = red.min(0)
    down, across = red.max(0)
    if any(word in more for word in ("pad", "rot")):
        assert bare[top : down + 1, left : across + 1, :3].mean() < 200
    assert bare[top : down + 1, left : across + 1, 3].min() == 255


def test_a_tile_covers_the_picture_and_a_diagonal_rises(logo: Overlay) -> None:
    tiled = laid(ground(), "logo.0:tile:10:10", {"logo": logo}).pixels()
    assert np.abs(tiled - expected((0, 0)))[:20, :40].max() <= 1
    assert np.array_equal(tiled[:20, :40], tiled[:20, 50:90])
    assert np.array_equal(tiled[30:50, 25:65], tiled[:20, :40])
    rising = laid(ground(400, 400), "logo.0:diagonal:0:20", {"logo": logo}).pixels()
    red = np.abs(rising - (255, 0, 0)).max(-1) < 60
    for corner in (np.s_[:120, :120], np.s_[:120, -120:], np.s_[-120:, :120], np.s_[-120:, -120:]):
        assert red[corner].mean() > 0.1
    shifted = [np.mean(red & np.roll(red, (-round(20 * slope), 20), (0, 1))) for slope in (0.577, -0.577)]
    assert shifted[0] > 1.1 * shifted[1]


@pytest.mark.parametrize("place", ["", ":nw:3:5", ":center:0:0:0.5", ":tile:7:7"])
def test_a_jpeg_that_stays_one_bears_it_in_luma_and_chroma(place: str, logo: Overlay) -> None:
    """Without becoming RGB, where another library takes the whole way through it, and as near to what was drawn."""
    data = images.jpeg(images.flat(403, 201, GROUND), quality=95)
    drawn = laid(data, f"logo.0{place}", {"logo": logo}, "w=201").pixels()
    made, other = (
        laid(data, f"logo.0{place}", {"logo": logo}, "w=201", "jpg", library=library, quality=85).pixels()
        for library in ("auto", "imagemagick")
    )
    assert made.shape == other.shape
    assert np.abs(made - drawn).mean() < 0.1 + 1.1 * np.abs(other - drawn).mean()
    assert np.percentile(np.abs(made - other), 99) < 60
    assert "tile" in place or np.abs(made - other).mean() < 2


FONTS = {
    name: f"/usr/share/fonts/truetype/{path}"
    for name, path in {
        "dejavu": "dejavu/DejaVuSans.ttf",
        "lohit": "lohit-devanagari/Lohit-Devanagari.ttf",
        "droid": "droid/DroidSansFallbackFull.ttf",
    }.items()
}
"""Of Debian's packages fonts-dejavu-core, fonts-lohit-deva and fonts-droid-fallback."""

WORDS = {
    "latin": ("Größe naïve", "dejavu"),
    "cyrillic": ("Быстрая лиса", "dejavu"),
    "greek": ("Γρήγορη", "dejavu"),
    "arabic": ("السلام عليكم", "dejavu"),
    "hebrew": ("שלום עולם", "dejavu"),
    "devanagari": ("हिन्दी विकिपीडिया", "lohit"),
    "cjk": ("写真 사진 しゃしん", "droid"),
}


def drawn(text: str, font: str, layout: ImageFont.Layout) -> Image.Image:
    """The line as Pillow draws it, cut to its letters."""
    sheet = Image.new("L", (1000, 200))
    ImageDraw.Draw(sheet).text((100, 100), text, 255, ImageFont.truetype(font, 40, layout_engine=layout), anchor="ls")
    return sheet.crop(sheet.getbbox())


@pytest.mark.parametrize("script", WORDS)
def test_text_is_set_as_its_script_wants(script: str) -> None:
    """As Pillow draws the whole line by raqm; without it letters stand alone, or in the order in which they are typed.

    The font is found among several.
    """
    text, font = WORDS[script]
    made = lettered(text, tuple(FONTS.values()), 40, (255, 255, 255, 255)).getchannel("A")
    whole = drawn(text, FONTS[font], ImageFont.Layout.RAQM)
    assert made.size == whole.size
    assert np.array_equal(np.asarray(made), np.asarray(whole))
    if script in ("arabic", "hebrew", "devanagari"):
        assert drawn(text, FONTS[font], ImageFont.Layout.BASIC).tobytes() != made.tobytes()


def test_a_line_of_several_scripts_takes_each_from_the_font_that_has_it() -> None:
    made = lettered("Foto 写真", tuple(FONTS.values()), 40, (255, 255, 255, 255)).getchannel("A")
    parts = [drawn(text, FONTS[font], ImageFont.Layout.RAQM) for text, font in (("Foto", "dejavu"), ("写真", "droid"))]
    assert np.array_equal(np.asarray(made)[:, -parts[1].width :].any(1).sum(), parts[1].height)
    ends = made.crop((made.width - parts[1].width, 0, made.width, made.height))
    assert np.array_equal(np.asarray(ends.crop(ends.getbbox())), np.asarray(parts[1]))
    starts = made.crop((0, 0, parts[0].width, made.height))
    assert np.array_equal(np.asarray(starts.crop(starts.getbbox())), np.asarray(parts[0]))


def credit(text: str = "© {copyright}", share: float = 0.1, ink: str = "ffffffff") -> Overlay:
    return Overlay(text=text, fonts=(FONTS["dejavu"],), share=share, ink=ink)


def notice(text: str) -> bytes:
    block = Image.Exif()
    block[0x8298] = text
    return images.jpeg(images.flat(400, 300, GROUND), exif=block.tobytes())


def white(made: Made) -> NDArray[np.bool_]:
    return np.asarray(made.pixels().min(-1) > 200)


def test_a_text_says_what_the_metadata_say_and_nothing_where_they_say_nothing() -> None:
    one, other = (white(laid(notice(text), "credit.0:sw", {"credit": credit()})) for text in ("Ann", "Bartholomew"))
    assert 0 < one.sum() < other.sum()
    assert not one[:200].any()
    bare = images.jpeg(images.flat(400, 300, GROUND))
    assert not white(laid(bare, "credit.0:sw", {"credit": credit()})).any()
    assert white(laid(bare, "credit.0:sw", {"credit": credit(text="Always")})).any()


def test_what_an_image_says_is_text_and_nothing_else() -> None:
    """A notice that looks like a field, or holds line breaks and control characters, is one line of letters."""
    tricky, plain = (
        white(laid(notice(text), "credit.0:sw", {"credit": credit()})) for text in ("{camera}\n\x07x", "{camera} x")
    )
    assert np.array_equal(tricky, plain)


def test_the_height_of_letters_follows_the_picture_and_the_colour_the_configuration() -> None:
    data = images.png(images.flat(400, 200, (0, 0, 0)))
    overlay = {"credit": credit(text="HHH", share=0.2, ink="ff800080")}
    for width, height in ((400, 40), (200, 20)):
        made = laid(data, "credit.0:nw", overlay, f"w={width}").pixels()
        rows = np.flatnonzero(made.max((1, 2)) > 60)
        assert abs(len(rows) - 0.73 * height) <= 2  # the cap height of DejaVu Sans is 0.729 em
        assert np.abs(made.max((0, 1)) - (128, 64, 0)).max() <= 3


def test_a_text_of_a_given_scale_is_as_wide() -> None:
    made = white(laid(ground(400, 200), "credit.0:nw:0:0:1:50p", {"credit": credit(text="Width")}))
    assert abs(np.flatnonzero(made.any(0)).max() - 200) <= 6


SOURCE = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{}"/></rdf:RDF></x:xmpmeta>'
)


@both
@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("trainedAlgorithmicMedia", True), ("compositeWithTrainedAlgorithmicMedia", True), ("digitalCapture", False),
        ("algorithmicMedia", False), ("", False),
    ],
)  # fmt: skip
def test_an_overlay_for_ai_shows_where_a_model_made_the_picture(
    source: str, shown: bool, logo: Overlay, library: Library
) -> None:
    data = images.jpeg(images.flat(200, 100, GROUND), xmp=SOURCE.format(source).encode() if source else b"")
    ai = Overlay(file=logo.file, only_ai=True)
    made = laid(data, "logo.0:nw", {"logo": ai}, library=library).pixels()
    assert bool(np.abs(made[5, 5] - (255, 0, 0)).max() <= 3) is shown
