"""Fixtures: a running service, and Debian's Chromium on its page."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.chromium import CHROMIUM, MISSING_CHROMIUM
from tests.service.process.running_service import Service, running_service

expect.set_options(timeout=20_000)  # milliseconds: the service is asked every few seconds whether it is there

RECORD_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective + event.blockedURI));
"""


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("browser") / "log") as service:
        yield service


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start Chromium. It ends with this package: Playwright keeps an event loop running, which other tests need."""
    if CHROMIUM is None:
        pytest.skip(MISSING_CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def options() -> dict[str, object]:
    """Return the options of the browser's context. A test module may replace them."""
    return {}


@pytest.fixture
def blank_page(browser: Browser, options: dict[str, object]) -> Iterator[Page]:
    """Open a tab. At the end, no script may have failed, and only the service may have been asked."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.add_init_script(RECORD_VIOLATIONS)
    failures: list[str] = []
    hosts: set[str | None] = set()
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    yield page
    assert page.evaluate("violations") == []
    assert failures == []
    assert hosts <= {"127.0.0.1", None}  # None: a data URL
    context.close()


@pytest.fixture
def page(blank_page: Page, service: Service) -> Page:
    """Open the service's page."""
    blank_page.goto(f"http://127.0.0.1:{service.port}/")
    return blank_page


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"
