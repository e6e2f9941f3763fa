"""Pictures are dropped, pasted, chosen and photographed. What is wrong with one is said in a sentence."""

from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.drawing import draw_number, found_box, give_file, sentence
from tests.conftest import ROOT
from tests.images import SEVEN, encode

EXAMPLES = ROOT / "examples"
PHOTO = EXAMPLES / "8-black-on-white-1200x1600.jpg"
MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}


def give(page: Page, event: str, path: Path) -> None:
    give_file(page, event, path.name, MEDIA_TYPES[path.suffix], path.read_bytes())


@pytest.mark.parametrize("name", ["4-white-on-black-100x100.png", "8-black-on-white-1200x1600.jpg"])
@pytest.mark.parametrize("event", ["drop", "paste"])
def test_dropped_or_pasted_picture_is_read(page: Page, event: str, name: str) -> None:
    """Read a picture that is dropped anywhere on the page, or pasted."""
    give(page, event, EXAMPLES / name)
    expect(sentence(page)).to_contain_text(f"Read as {name[0]} with")


@pytest.mark.parametrize("control", ["#file", "#photo"])
def test_chosen_picture_is_read(page: Page, control: str) -> None:
    """Read a picture that is chosen, or that a phone's camera takes."""
    page.locator(control).set_input_files(PHOTO)
    expect(sentence(page)).to_contain_text("Read as 8 with")


@pytest.mark.parametrize("image_format", ["WEBP", "GIF", "BMP"])
def test_picture_in_another_format_is_converted(page: Page, image_format: str) -> None:
    """Read a picture in a format that the browser knows and the service does not."""
    file = BytesIO()
    SEVEN.save(file, image_format)
    give_file(page, "drop", "file", f"image/{image_format.lower()}", file.getvalue())
    expect(sentence(page)).to_contain_text("Read as 7 with")


def test_button_opens_the_choice_of_files(page: Page) -> None:
    """Open the browser's dialog for PNG and JPEG files."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose picture").click()
    chooser.value.set_files(PHOTO)
    expect(sentence(page)).to_contain_text("Read as 8 with")


def test_box_is_in_the_shown_picture(page: Page) -> None:
    """Show the box within the part of the surface that shows an upright picture."""
    give(page, "drop", PHOTO)
    box = found_box(page)
    area = page.locator("canvas").bounding_box()
    assert area
    shown_width = area["height"] * 1200 / 1600
    assert abs(box["x"] + box["width"] / 2 - (area["x"] + area["width"] / 2)) < shown_width / 10
    assert 0.3 * area["height"] < box["height"] < 0.7 * area["height"]


def test_a_stroke_replaces_the_picture(page: Page) -> None:
    """Start a new drawing, and bring the picture back by undo."""
    give(page, "drop", PHOTO)
    expect(sentence(page)).to_contain_text("Read as 8 with")
    draw_number(page, "1")
    expect(sentence(page)).to_contain_text("Read as 1 with")
    page.keyboard.press("Control+z")
    expect(sentence(page)).to_contain_text("Read as 8 with")


@pytest.mark.parametrize(
    ("media_type", "content", "expected"),
    [
        ("image/heic", b"heic", "Invalid file type: image/heic. Only JPEG and PNG are supported."),
        ("text/plain", b"text", "Invalid file type: text/plain. Only JPEG and PNG are supported."),
        ("image/png", PHOTO.read_bytes()[:2_000], "truncated"),
        ("image/png", encode(SEVEN.point(lambda _: 255)), "No digit found. Send an image of one digit"),
        ("image/png", b"", "The body is empty."),
    ],
    ids=["unknown image", "text", "truncated", "blank", "empty"],
)
def test_error_of_the_service_is_a_sentence(page: Page, media_type: str, content: bytes, expected: str) -> None:
    """Show the service's own sentence, without the prefix that is for programs."""
    give_file(page, "drop", "file", media_type, content)
    expect(sentence(page)).to_contain_text(expected)
    expect(sentence(page)).not_to_contain_text("Error processing image")
    expect(page.locator("#number")).to_be_empty()
