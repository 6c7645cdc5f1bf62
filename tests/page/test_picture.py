"""One picture: build a recipe, see it beside the original, take it away as text."""

from __future__ import annotations

import io
import re
import urllib.request
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect

from gateway.rules import VOCABULARY
from tests.gateways import Gateway
from tests.page.conftest import Sheet, fixed
from tests.waiting import PATIENCE

PICTURE = "#/picture/shown/photo.jpg/@w=320.webp"


CUT = """() => {
  const context = document.createElement("canvas").getContext("2d");
  const arrow = 16; // pixels of a select, less than Chromium's
  const said = (field) => field.placeholder ?? field.selectedOptions[0].text;
  return [...document.querySelectorAll(".control :is(input[placeholder], select)")].filter((field) => {
    const style = getComputedStyle(field);
    context.font = style.font;
    const taken = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight) + ("placeholder" in field ? 0 : arrow);
    return context.measureText(said(field)).width > field.clientWidth - taken;
  }).map((field) => `${field.ariaLabel}: ${said(field)}`);
}"""
"""The fields whose text is cut."""
TELEPHONE: ViewportSize = {"width": 360, "height": 740}


def pixels(data: bytes) -> NDArray[np.int64]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def opened(view: Sheet, route: str = PICTURE) -> Page:
    page = view.open(route)
    expect(page.locator(".facts .cache")).to_be_visible()
    return page


def copied(page: Page, title: str) -> str:
    page.get_by_role("tab", name="Copy").click()
    page.get_by_role("button", name=f"Copy {title}", exact=True).click()
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_every_operation_of_the_vocabulary_has_a_control(view: Sheet) -> None:
    page = opened(view)
    shown = page.locator(".control .key").all_text_contents()
    assert sorted(shown) == sorted(row["key"] for row in VOCABULARY["operations"])
    assert page.evaluate(CUT) == []
    page.set_viewport_size(TELEPHONE)
    assert page.evaluate(CUT) == []


def test_a_recipe_is_built_and_its_url_answers_what_the_page_shows(view: Sheet, bench: Gateway) -> None:
    page = opened(view)
    page.get_by_role("spinbutton", name="w", exact=True).fill("200")
    page.get_by_role("switch", name="gray").check()
    page.get_by_label("Format", exact=True).select_option("png")
    expect(page.locator(".canonical")).to_have_text("shown/photo.jpg/@w=200,gray=1.png")
    expect(page.locator(".facts")).to_contain_text("200 × 150")
    answered = httpx.get(copied(page, "URL"), timeout=PATIENCE)
    assert answered.headers["Content-Type"] == "image/png"
    seen = pixels(answered.content)
    assert seen.shape == (150, 200, 3)
    assert np.ptp(seen, axis=2).max() == 0  # gray: no pixel has colour
    assert page.url.endswith("#/picture/shown/photo.jpg/@w=200,gray=1.png")


def test_ratios_two_colours_borders_and_overlays_have_controls_of_their_own(view: Sheet) -> None:
    page = opened(view)
    page.get_by_label("ar", exact=True).fill("2:1")
    page.get_by_label("duotone, light").fill("#ffe0a0")
    page.get_by_role("spinbutton", name="trim", exact=True).fill("5")
    page.get_by_label("trim, colour").fill("fff")
    page.get_by_label("radius, slider").fill("12")
    page.get_by_role("button", name="+ label").click()
    canonical = re.compile(
        r"@trim=5:ffffff,w=320,h=160,fit=cover,duotone=000000:ffe0a0,radius=12,over=label[.][0-9a-f]{12}:sw:2p:2p[.]webp$"
    )
    expect(page.locator(".canonical")).to_have_text(canonical)
    expect(page.locator('.control[data-key="ar"] .trouble')).to_have_text("")


def test_the_divider_has_the_original_on_one_side_and_the_result_on_the_other(view: Sheet) -> None:
    page = opened(view, "#/picture/shown/photo.jpg/@w=640,negate=1.png")
    seen = pixels(page.locator(".stage").screenshot())
    height, width, _ = seen.shape
    original, result = (seen[height // 6, int(width * part)] for part in (0.3, 0.7))  # in the sky, which is bright
    assert original[2] > 150 > 100 > result[2]
    page.get_by_role("slider", name="Divider").press("End")
    moved = pixels(page.locator(".stage").screenshot())[height // 6, int(width * 0.7)]
    assert moved[2] > 150


def test_a_step_is_undone_and_done_again(view: Sheet) -> None:
    page = opened(view)
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    page.get_by_role("switch", name="negate").check()
    expect(page.locator(".canonical")).to_have_text("shown/photo.jpg/@w=320,negate=1.webp")
    page.keyboard.press("Control+z")
    expect(page.locator(".canonical")).to_have_text("shown/photo.jpg/@w=320.webp")
    expect(page.get_by_role("switch", name="negate")).not_to_be_checked()
    page.get_by_role("button", name="Redo").click()
    expect(page.locator(".canonical")).to_have_text("shown/photo.jpg/@w=320,negate=1.webp")


def test_a_region_is_drawn_into_the_picture(view: Sheet) -> None:
    page = opened(view)
    page.get_by_role("button", name="Draw…").click()
    frame = page.locator(".frame").bounding_box()
    assert frame
    page.mouse.move(frame["x"] + frame["width"] / 4, frame["y"] + frame["height"] / 4)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] * 3 / 4, steps=4)
    page.mouse.up()
    expect(page.locator(".canonical")).to_contain_text("crop=")
    crop = str(page.locator(".canonical").text_content()).partition("crop=")[2].partition(",")[0]
    x, y, w, h = map(int, crop.split(":"))
    assert (x, y, w, h) == pytest.approx((160, 120, 160, 240), abs=3)  # of 640 by 480
    page.locator(".shape").press("ArrowRight")
    expect(page.locator(".canonical")).to_contain_text(f"crop={x + 5}:")


def test_the_focal_point_is_set_by_pointing(view: Sheet) -> None:
    page = opened(view, "#/picture/shown/photo.jpg/@w=100,h=200,fit=cover.webp")
    page.get_by_role("button", name="Focal point").click()
    frame = page.locator(".frame").bounding_box()
    assert frame
    page.mouse.click(frame["x"] + frame["width"] * 0.75, frame["y"] + frame["height"] * 0.25)
    expect(page.locator(".canonical")).to_contain_text("g=0.75:0.25")


def test_what_is_wrong_is_said_at_its_control_and_what_is_idle_too(view: Sheet) -> None:
    page = opened(view)
    page.get_by_role("textbox", name="crop").fill("nonsense")
    expect(page.locator("[data-key=crop] .trouble")).to_contain_text("must be x:y:w:h")
    page.get_by_role("textbox", name="crop").fill("")
    page.get_by_role("combobox", name="fit").select_option("cover")
    expect(page.locator("[data-key=fit] .trouble")).to_have_text("changes nothing in this recipe")


def test_a_try_tells_bytes_time_cache_and_format_as_the_gateway_does(view: Sheet, bench: Gateway) -> None:
    page = opened(view, "#/picture/shown/photo.jpg/@w=123.webp")
    expect(page.locator(".facts .cache")).to_have_text("MISS")
    expect(page.locator(".facts")).to_contain_text("WEBP")
    size = len(bench.public.get("/images/shown/photo.jpg/@w=123.webp").content)
    expect(page.locator(".facts")).to_contain_text(f"{size} B" if size < 1000 else f"{fixed(size / 1000)} KB")
    page.get_by_role("switch", name="gray").check()
    expect(page.locator(".tries tbody tr")).to_have_count(2)
    page.set_viewport_size(TELEPHONE)
    assert page.locator(".tries .wide-table").evaluate("(table) => table.scrollWidth - table.clientWidth") == 0
    page.get_by_role("button", name="@w=123.webp").click()
    expect(page.locator(".facts .cache")).to_contain_text("HIT")


def test_every_format_is_made_side_by_side(view: Sheet, bench: Gateway) -> None:
    page = opened(view)
    page.get_by_role("tab", name="Formats").click()
    page.get_by_role("button", name="Make it in every format").click()
    formats = list(bench.api.get("/formats").json()["out"])
    expect(page.locator(".formats .bytes")).to_have_count(len(formats))
    assert page.locator(".formats li > strong").all_text_contents() == formats
    expect(page.locator(".formats .least")).to_have_count(1)
    page.set_viewport_size(TELEPHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == TELEPHONE["width"]


def test_what_is_copied_works_where_it_is_pasted(view: Sheet, bench: Gateway) -> None:
    page = opened(view, "#/picture/shown/photo.jpg/@w=300,h=200,fit=cover.jpg")
    srcset = copied(page, "<img srcset>")
    page.get_by_role("button", name="Copy <picture>").click()
    html = srcset + str(page.evaluate("navigator.clipboard.readText()"))
    urls = {word.strip('",') for word in html.replace('="', " ").split() if "/images/" in word}
    assert len(urls) >= 4
    for url in urls:
        answered = httpx.get(url, timeout=PATIENCE)
        assert answered.status_code == 200, url
        with Image.open(io.BytesIO(answered.content)) as image:
            assert image.width / image.height == pytest.approx(1.5, abs=0.02)
    preset = yaml.safe_load(copied(page, "Preset for config.yaml"))
    assert preset == {"presets": {"my-preset": "w=300,h=200,fit=cover"}}
    compile(copied(page, "Python"), "pasted", "exec")
    assert copied(page, "curl").startswith("curl -o 'photo.jpg' 'http://")


def test_signed_and_temporary_urls_are_made_on_demand(view: Sheet) -> None:
    page = opened(view)
    page.get_by_role("tab", name="Copy").click()
    page.get_by_role("button", name="Sign a Signed URL").click()
    page.get_by_role("button", name="Make a Temporary URL").click()
    for title, word in (("Signed URL", "/@w=320.webp?sig=first."), ("Temporary URL", "temp_url_sig=")):
        url = copied(page, title)
        assert word in url
        with urllib.request.urlopen(url) as answer:
            assert answer.headers["Content-Type"] == "image/webp"


def zoomed(view: Sheet) -> None:
    """Every pixel of the original is on the screen."""
    page = opened(view)
    page.get_by_role("button", name="Zoom", exact=True).click()
    page.get_by_role("button", name="Every pixel").click()
    expect(page.locator(".zoom .tile.here").first).to_be_visible()
    expect(page.locator(".zoom output")).to_have_text("100 %")


def test_zoom_shows_the_tiles_that_iiif_lists_where_the_gateway_answers_it(view: Sheet, bench: Gateway) -> None:
    zoomed(view)
    info = bench.api.get("/iiif/3/shown%2Fphoto.jpg/info.json").json()
    assert (info["width"], info["height"], info["tiles"][0]["width"]) == (640, 480, 512)
    asked = {url.partition("/iiif/3/")[2] for url in view.asked if "/default." in url}
    first, second = "0,0,512,480/512,480", "512,0,128,480/128,480"
    assert asked == {f"shown%2Fphoto.jpg/{tile}/0/default.jpg" for tile in (first, second)}


@pytest.fixture
def without_iiif(sheet: Sheet, bench: Gateway) -> Iterator[Sheet]:
    """A page that is loaded from a gateway that does not answer IIIF."""
    told = {**bench.api.get("/capabilities").json(), "iiif": ""}
    sheet.page.route("**/capabilities", lambda route: route.fulfill(json=told))
    yield sheet
    sheet.forget()


def test_zoom_shows_crops_where_there_is_no_iiif(without_iiif: Sheet) -> None:
    zoomed(without_iiif)
    assert any("/@crop=0:0:512:480," in url for url in without_iiif.asked)
