"""Draw the README's picture of the page: `python -m tests.browser.screenshot [FOLDER]`.

With a folder, write the page at phone and desktop width, in light and dark, to look at.
"""

import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.drawing import draw_number, sentence
from tests.chromium import CHROMIUM
from tests.conftest import ROOT
from tests.service.process.running_service import running_service

README_PICTURE = ROOT / "docs" / "page.png"
COLORS = 64

DESKTOP = (1120, 760)
PHONE = (360, 740)
Scheme = Literal["light", "dark"]


def take(browser: Browser, url: str, number: str, size: tuple[int, int], scheme: Scheme, scale: float = 1) -> bytes:
    """Draw a number on the page and return a screenshot of all of it, as a PNG file."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        device_scale_factor=scale,
        reduced_motion="reduce",
        has_touch=width < 500,
        is_mobile=width < 500,
    )
    page = context.new_page()
    page.goto(url)
    draw_number(page, number)
    expect(sentence(page)).to_contain_text(f"Read as {number} with" if number else "blank")
    expect(page.locator("#model")).not_to_be_empty()
    picture = page.screenshot(full_page=True)
    context.close()
    return picture


def write_readme_picture(browser: Browser, url: str) -> None:
    """Write the README's picture, with few colors so that it stays small."""
    picture = Image.open(BytesIO(take(browser, url, "407", DESKTOP, "light"))).convert("RGB")
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(README_PICTURE, optimize=True)


def write_all(browser: Browser, url: str, folder: Path) -> None:
    """Write one picture for each width, color scheme and number."""
    for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
        for scheme in ("light", "dark"):
            for number in ("", "3", "407"):
                file = folder / f"{name}-{scheme}-{number or 'blank'}.png"
                file.write_bytes(take(browser, url, number, size, scheme, 2 if name == "phone" else 1))


def main() -> None:
    """Serve, and write the README's picture, or all pictures into a folder."""
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder, "log")) as service:
        url = f"http://127.0.0.1:{service.port}/"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM)
            if len(sys.argv) > 1:
                write_all(browser, url, Path(sys.argv[1]))
            else:
                write_readme_picture(browser, url)
            browser.close()


if __name__ == "__main__":
    main()
