"""The example page predicts a chosen file, retries 503, and shows a sentence if that fails."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.images import DIGIT
from tests.service.process.running_service import Service, wait_until
from tests.test_clients import count_503, image, service, url_of  # noqa: F401 - fixtures

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium, or skip where it is missing."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("Chromium is missing. Install it (on Debian: apt install chromium).")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, service: Service) -> Iterator[Any]:  # noqa: F811
    """Open the page from the disk, with a URL that ends with a slash."""
    page = browser.new_page()
    page.goto(f"{(ROOT / 'examples' / 'clients' / 'predict.html').as_uri()}?url={url_of(service)}/")
    yield page
    page.close()


def test_page_shows_the_prediction(page: Any, image: Path) -> None:  # noqa: F811
    """Show digit and confidence of a chosen file."""
    page.set_input_files("input", image)
    page.wait_for_function(f"document.querySelector('[role=status]').textContent.startsWith('{DIGIT} (confidence 0.')")


def test_page_shows_the_error(page: Any) -> None:
    """Show the service's sentence."""
    page.set_input_files("input", ROOT / "README.md")
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('400 Invalid file type')")


def test_page_retries_503(page: Any, service: Service, image: Path) -> None:  # noqa: F811
    """Send the file again after Retry-After."""
    before = count_503(service)
    with service.open_upload(length=90_000, sent=b""):
        page.set_input_files("input", image)
        wait_until(lambda: count_503(service) > before)
    page.wait_for_function(f"document.querySelector('[role=status]').textContent.startsWith('{DIGIT} ')")


def test_page_says_that_the_service_is_away(page: Any, image: Path) -> None:  # noqa: F811
    """Show the address if there is no response."""
    page.goto(f"{page.url.partition('?')[0]}?url=http://127.0.0.1:9")
    page.set_input_files("input", image)
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('No response from http')")
