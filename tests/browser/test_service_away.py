"""The page tells when the service goes away, when it comes back, and when it needs a key."""

import socket
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.drawing import draw_number, sentence
from tests.service.process.running_service import running_service, stop

AWAY = "The service is not available."


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def test_service_that_goes_away_and_comes_back_is_told(blank_page: Page, log: Path) -> None:
    """Say it without being asked, keep the drawing, and read it when the service is back."""
    port = free_port()
    with running_service(log, PORT=port) as service:
        blank_page.goto(f"http://127.0.0.1:{port}/")
        expect(sentence(blank_page)).to_contain_text("The page is blank.")
        stop(service.process)
        expect(blank_page.locator("#connection")).to_contain_text(AWAY)
        draw_number(blank_page, "3")
        expect(blank_page.locator("#answer")).to_have_attribute("aria-busy", "false")
    with running_service(log, PORT=port):
        expect(sentence(blank_page)).to_contain_text("Read as 3 with")
        expect(blank_page.locator("#connection")).to_have_text("The service is back.")


def test_draining_service_is_told(blank_page: Page, log: Path) -> None:
    """Say that a service is not available as soon as /ready says that it drains."""
    with running_service(log, DRAIN_SECONDS="4") as service:
        blank_page.goto(f"http://127.0.0.1:{service.port}/")
        expect(sentence(blank_page)).to_contain_text("The page is blank.")
        service.process.terminate()
        blank_page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # looking at it again asks at once
        expect(blank_page.locator("#connection")).to_contain_text(AWAY)


def test_service_asks_for_its_key(blank_page: Page, log: Path) -> None:
    """Open without a key, ask for it when it is needed, and keep it in this tab only."""
    with running_service(log, API_KEY="secret") as service:
        blank_page.goto(f"http://127.0.0.1:{service.port}/")
        expect(blank_page.get_by_label("API key")).to_be_hidden()
        draw_number(blank_page, "3")
        expect(sentence(blank_page)).to_have_text("The service needs an API key.")
        blank_page.get_by_label("API key").fill("wrong")
        blank_page.keyboard.press("Enter")
        expect(sentence(blank_page)).to_have_text("The service does not accept this API key.")
        blank_page.get_by_label("API key").fill("secret")
        blank_page.get_by_role("button", name="Use key").click()
        expect(sentence(blank_page)).to_contain_text("Read as 3 with")
        expect(blank_page.get_by_label("API key")).to_be_hidden()
        assert blank_page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
