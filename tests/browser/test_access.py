"""The page works by keyboard, by touch, at 360 pixels, in light and dark, and for a screen reader."""

from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.drawing import draw_number, found_box, sentence, strokes_of

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

MEASURE_CONTRAST = """
() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const parse = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (rgb) => rgb.slice(0, 3).map((value) => value / 255)
        .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
        .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
    const background = (element) => {
        for (let each = element; each; each = each.parentElement) {
            const color = parse(getComputedStyle(each).backgroundColor);
            if (color[3] === 255) return color;
        }
        return [255, 255, 255];
    };
    return [...document.querySelectorAll("body *")]
        .filter((element) => element.checkVisibility() && !element.matches("canvas, :disabled, :disabled *")
            && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
        .map((element) => {
            const shades = [parse(getComputedStyle(element).color), background(element)].map(luminance);
            return [(Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05), element.textContent.trim()];
        });
}
"""


def test_keyboard_is_enough(page: Page) -> None:
    """Reach the surface, draw a seven, change the width, and clear, without a mouse."""
    page.keyboard.press("Tab")
    expect(page.locator("canvas")).to_be_focused()
    keys = [*["ArrowLeft"] * 4, "Space", *["ArrowRight"] * 16, *["End"] * 10, *["ArrowDown"] * 16, "Space"]
    for key in keys:
        page.keyboard.press(key)
    expect(sentence(page)).to_contain_text("Read as 7 with")
    expect(page.locator("#spoken")).to_have_text("Pen up")
    for name in ("Undo", "Clear"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=name)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Pen width")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Pen width")).to_have_value("3.5")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose picture")).to_be_focused()
    page.keyboard.press("Delete")
    expect(sentence(page)).to_contain_text("The page is blank.")


def test_every_control_has_a_name_and_answers_are_announced(page: Page) -> None:
    """Name what can be operated, and announce the answer in a live region."""
    tree = page.locator("body").aria_snapshot()
    for line in ('heading "Draw a digit"', 'button "Undo"', 'button "Clear"', 'slider "Pen width"', "application"):
        assert line in tree
    for unnamed in ("- button\n", "- slider\n", "- textbox\n", "- link\n"):
        assert unnamed not in tree
    assert page.locator("#sentence").get_attribute("role") == "status"


class TestPhone:
    """A phone of 360 pixels."""

    @pytest.fixture
    def options(self) -> dict[str, object]:
        return PHONE

    def test_finger_draws(self, page: Page) -> None:
        """Draw with touches, which do not scroll the page."""
        area = page.locator("canvas").bounding_box()
        assert area
        session = page.context.new_cdp_session(page)
        for stroke in strokes_of("3", area["width"], area["height"]):
            for index, (x, y) in enumerate(stroke):
                point = {"x": area["x"] + x, "y": area["y"] + y}
                kind = "touchMove" if index else "touchStart"
                session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
            session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(sentence(page)).to_contain_text("Read as 3 with")
        assert page.evaluate("scrollY") == 0

    def test_page_fits(self, page: Page) -> None:
        """Need no horizontal scrolling, offer the camera, and give every button 44 pixels."""
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        expect(page.get_by_role("button", name="Take photo")).to_be_visible()
        assert page.locator("#photo").get_attribute("capture") == "environment"
        for button in page.locator(".tools button").all():
            box = button.bounding_box()
            assert box
            assert box["height"] >= 44


def test_pressure_of_a_pen_changes_the_width(page: Page) -> None:
    """Draw a wider line with more pressure."""
    session = page.context.new_cdp_session(page)
    widths = []
    for force in (0.1, 1.0):
        pen = {"x": 300, "button": "left", "clickCount": 1, "pointerType": "pen", "force": force}
        for kind, y in [("mousePressed", 220), ("mouseMoved", 300), ("mouseMoved", 400), ("mouseReleased", 400)]:
            session.send("Input.dispatchMouseEvent", {"type": kind, "y": y, **pen})
        expect(sentence(page)).to_contain_text("1 with")
        widths.append(found_box(page)["width"])
        page.get_by_role("button", name="Clear").click()
    assert widths[1] > 1.5 * widths[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_legible(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Give every text a contrast of at least 4.5 in both color schemes, an error included."""
    page.emulate_media(color_scheme=scheme)
    page.locator("#file").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"text"})
    expect(sentence(page)).to_contain_text("Invalid file type")
    measured = page.evaluate(MEASURE_CONTRAST)
    assert len(measured) > 20
    assert [text for contrast, text in measured if contrast < 4.5] == []


def test_kept_page_works(page: Page) -> None:
    """Open from the browser's copy, which the service confirms with 304."""
    page.reload()
    draw_number(page, "1")
    expect(sentence(page)).to_contain_text("Read as 1 with")


def test_page_without_scripts_says_so(browser: Browser, page: Page) -> None:
    """Say that the page needs JavaScript, and how to predict without it."""
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(page.url)
    expect(tab.locator("noscript p")).to_be_visible()
    context.close()
