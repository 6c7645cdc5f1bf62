"""What the options of imgproxy and thumbor change: sources, presets, the format of a URL without one."""

from __future__ import annotations

from tests.dialects.translating import dialect, meaning, refusal


def test_sources_map_to_the_names_of_the_same_images() -> None:
    sources = {"local:///": "", "s3://bucket/": "shop/", "https://example.org/media/": "media/"}
    imgproxy = dialect("imgproxy", sources=sources)
    for source, name in (
        ("local:///a.jpg", "a.jpg"),
        ("s3://bucket/a.jpg", "shop/a.jpg"),
        ("https://example.org/media/2024/a.jpg", "media/2024/a.jpg"),
    ):
        assert meaning(imgproxy, f"plain/{source}@png").name == f"{name}/@full.png"
    assert "must begin with local:/// or s3://bucket/" in refusal(imgproxy, "plain/s3://other/a.jpg@png").detail
    thumbor = dialect("thumbor", sources={"https://example.org/media/": "media/"})
    assert meaning(thumbor, "20x20/https://example.org/media/a.jpg").name.startswith("media/a.jpg/@")
    assert meaning(thumbor, "20x20/https%3A//example.org/media/a.jpg").name.startswith("media/a.jpg/@")
    assert "must begin with https://example.org/media/" in refusal(thumbor, "20x20/a.jpg").detail


def test_a_source_cannot_leave_its_folder() -> None:
    imgproxy = dialect("imgproxy", sources={"s3://bucket/": "shop/"})
    for source in ("s3://bucket/../a.jpg", "s3://bucket/%2E%2E/a.jpg", "s3://bucket//a.jpg", "s3://bucket/@w=3.jpg"):
        assert "segment" in refusal(imgproxy, f"plain/{source.replace('@', '%40')}").detail


def test_a_url_without_a_format_gets_the_configured_one() -> None:
    assert meaning(dialect("imgproxy"), "w:30/plain/local:///a.jpg").name == "a.jpg/@w=30.source"
    assert meaning(dialect("imgproxy", format="auto"), "w:30/plain/local:///a.jpg").name == "a.jpg/@w=30.auto"
    assert meaning(dialect("thumbor", format="auto"), "fit-in/30x30/a.jpg").name == "a.jpg/@w=30,h=30.auto"
    assert meaning(dialect("imgproxy", format="auto"), "w:30/plain/local:///a.jpg@png").name == "a.jpg/@w=30.png"


def test_the_default_preset_is_applied_before_the_options() -> None:
    imgproxy = dialect("imgproxy", presets={"default": "w:100/q:60", "loop": "pr:loop/h:50"})
    assert meaning(imgproxy, "plain/local:///a.jpg@jpg").name == "a.jpg/@w=100,q=60.jpg"
    assert meaning(imgproxy, "w:200/plain/local:///a.jpg@jpg").name == "a.jpg/@w=200,q=60.jpg"
    assert meaning(imgproxy, "w:0/pr:loop/plain/local:///a.jpg@jpg").name == "a.jpg/@h=50,q=60.jpg"
