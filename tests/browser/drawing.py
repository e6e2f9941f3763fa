"""Draw digits on the page with the mouse, and give it files as a user does."""

import base64
from collections.abc import Iterator

import numpy as np
from playwright.sync_api import FloatRect, Locator, Page, expect

from examples.draw import STROKES
from export.data.strokes import smooth

Points = list[tuple[float, float]]

SAMPLE = 12
"""Every so many points of a smooth stroke the mouse moves: a slow machine takes tens of milliseconds for each."""

MAKE_TRANSFER = """([name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    return transfer;
}"""


def strokes_of(number: str, width: float, height: float) -> Iterator[Points]:
    """Yield the strokes of the digits of a number, which fill the middle of an area of this size."""
    size = min(0.7 * height, 0.9 * width / max(1, len(number)))
    left = (width - size * len(number)) / 2
    for index, digit in enumerate(number):
        for stroke in STROKES[int(digit)]:
            points = smooth(np.array(stroke))[::SAMPLE] * (0.8 * size, size)
            yield [(left + index * size + x, (height - size) / 2 + y) for x, y in points]


def draw_number(page: Page, number: str) -> None:
    """Draw a number with the mouse, stroke by stroke."""
    area = page.locator("canvas").bounding_box()
    assert area
    for (x, y), *points in strokes_of(number, area["width"], area["height"]):
        page.mouse.move(area["x"] + x, area["y"] + y)
        page.mouse.down()
        for x, y in points:
            page.mouse.move(area["x"] + x, area["y"] + y)
        page.mouse.up()


def found_box(page: Page) -> FloatRect:
    """Return where the page shows that it found the only digit, once it has been read."""
    expect(page.locator("#boxes div")).to_have_count(1)
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")
    box = page.locator("#boxes div").bounding_box()
    assert box
    return box


def give_file(page: Page, event: str, name: str, media_type: str, content: bytes) -> None:
    """Drop a file on the page, or paste it. event: drop or paste."""
    transfer = page.evaluate_handle(MAKE_TRANSFER, [name, media_type, base64.b64encode(content).decode()])
    page.evaluate(
        """([event, transfer]) => dispatchEvent(event === "paste"
            ? new ClipboardEvent("paste", { clipboardData: transfer })
            : new DragEvent(event, { dataTransfer: transfer, cancelable: true }))""",
        [event, transfer],
    )


def sentence(page: Page) -> Locator:
    """Return what the page says about the picture."""
    return page.locator("#sentence")
