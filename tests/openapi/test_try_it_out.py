"""The pages work in a browser, without the internet: "Try it out" sends requests, and shows their responses."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.chromium import CHROMIUM, MISSING_CHROMIUM
from tests.conftest import ROOT
from tests.service.process.running_service import Service, running_service

SIX = ROOT / "examples" / "6-black-on-white-28x28.png"
KEY = "secret"
WAIT = 30_000  # milliseconds

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING_CHROMIUM),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service") / "log", API_KEY=KEY) as service:
        yield service


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Page]:
    """Open a tab. At the end, no script may have failed, and only this service may have been asked."""
    origin = f"http://127.0.0.1:{service.port}"
    problems: list[str] = []
    with browser.new_context(base_url=origin) as context:
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if "Security Policy" in message.text else None)
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((origin, "data:", "blob:")) else problems.append(request.url)
            ),
        )
        yield page
        assert problems == []


def open_operation(page: Page, operation: str) -> None:
    """Open an operation in Swagger UI, ready to be tried out, with the key."""
    page.goto("/docs")
    page.get_by_role("button", name="Authorize").click()
    page.get_by_label("Value:").last.fill(KEY)
    page.get_by_role("button", name="Apply credentials").last.click()
    page.get_by_role("button", name="Close").last.click()
    page.locator(f"#operations-Predictions-{operation} .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()


def response(page: Page) -> str:
    """Send the request, and return the body of the response that Swagger UI shows."""
    page.get_by_role("button", name="Execute").click()
    shown = page.locator(".live-responses-table .response")
    expect(shown.locator(".response-col_status")).to_have_text("200", timeout=WAIT)
    return shown.locator(".highlight-code").first.inner_text()


def test_a_file_can_be_sent(page: Page) -> None:
    """Predict a chosen file, sent as a form, with the key."""
    open_operation(page, "predict")
    page.locator("input[type=file]").set_input_files(SIX)
    assert '"digit": 6' in response(page)


def test_several_files_can_be_sent(page: Page) -> None:
    """Predict two chosen files."""
    open_operation(page, "predictBatch")
    page.get_by_role("button", name="Add").click()  # one is there already
    for chooser in page.locator("input[type=file]").all():
        chooser.set_input_files(SIX)
    assert response(page).count('"digit": 6') == 2


def test_the_example_can_be_sent(page: Page) -> None:
    """Predict the image of the example, in base64."""
    open_operation(page, "predictBase64")
    assert '"digit": 6' in response(page)


def test_redoc_shows_every_group(page: Page) -> None:
    """Show the groups and their routes."""
    page.goto("/redoc")
    for text in ("Predictions", "Status", "Documentation", "/predict-number"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=WAIT)
