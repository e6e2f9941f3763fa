"""What is drawn is read after every stroke."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.drawing import draw_number, found_box, sentence

BLANK = "The page is blank. Draw a digit, or choose a picture of one."


def test_drawn_three_is_read(page: Page) -> None:
    """Show the digit, its confidence, ten bars, the input of the network, the box and the time."""
    draw_number(page, "3")
    expect(sentence(page)).to_contain_text("Read as 3 with")
    expect(page.locator("#number")).to_have_text("3")
    expect(page.locator("#bars li")).to_have_count(10)
    expect(page.locator("#bars .best")).to_contain_text("3")
    expect(page.locator("#time")).to_contain_text("ms")
    assert page.locator("#input").evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [28, 28]


def test_box_surrounds_the_drawing(page: Page) -> None:
    """Show where the digit was found, within 5 % of the surface's height."""
    draw_number(page, "3")
    expect(sentence(page)).to_contain_text("Read as 3 with")
    box = found_box(page)
    area = page.locator("canvas").bounding_box()
    assert area
    margin = 0.05 * area["height"]
    assert box["y"] - area["y"] == pytest.approx(0.17 * area["height"], abs=margin)
    assert box["height"] == pytest.approx(0.68 * area["height"], abs=2 * margin)
    assert box["x"] + box["width"] / 2 == pytest.approx(area["x"] + area["width"] / 2, abs=2 * margin)


def test_several_digits_are_a_number(page: Page) -> None:
    """Read a number, and show each of its digits in detail when it is chosen."""
    draw_number(page, "407")
    expect(sentence(page)).to_contain_text("Read as 407 with")
    expect(page.locator("#boxes div")).to_have_count(3)
    expect(page.locator("#bars .best")).to_contain_text("4")
    page.get_by_role("button", name="Digit 3: 7").click()
    expect(page.locator("#bars .best")).to_contain_text("7")
    expect(page.locator("#bars-title")).to_have_text("Probabilities at position 3")


def test_blank_page_says_so(page: Page) -> None:
    """Say that the page is blank, before the first stroke and after the drawing was cleared."""
    expect(sentence(page)).to_have_text(BLANK)
    expect(page.get_by_role("button", name="Clear")).to_be_disabled()
    draw_number(page, "1")
    expect(sentence(page)).to_contain_text("Read as 1 with")
    page.get_by_role("button", name="Clear").click()
    expect(sentence(page)).to_have_text(BLANK)
    expect(page.locator("#boxes div")).to_have_count(0)


def test_undo_takes_back_strokes_and_clear(page: Page) -> None:
    """Read what is left after each step back."""
    draw_number(page, "17")
    expect(sentence(page)).to_contain_text("Read as 17 with")
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Undo").click()
    expect(sentence(page)).to_contain_text("Read as 17 with")
    for _ in range(2):  # the two strokes of the seven
        page.keyboard.press("Control+z")
    expect(sentence(page)).to_contain_text("Read as 1 with")
    page.keyboard.press("Control+z")
    expect(sentence(page)).to_have_text(BLANK)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_pen_width_changes_the_drawing(page: Page) -> None:
    """Draw wider strokes with a wider pen, so that the box of a one grows."""
    widths = []
    for value in ("2", "7"):
        page.get_by_label("Pen width").fill(value)
        draw_number(page, "1")
        expect(sentence(page)).to_contain_text("Read as 1 with")
        widths.append(found_box(page)["width"])
        page.get_by_role("button", name="Clear").click()
    assert widths[1] > widths[0] + 20
