"""What is seen in Chromium, and pressed there."""

from collections.abc import Callable
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.consent import PATIENCE


def wait(browser: Chrome, happened: Callable[[Chrome], object]) -> None:
    """Wait until something holds; a page may be replaced while the test reads it."""
    # Chromium has several words for that, and not for all of them selenium has an exception.
    WebDriverWait(browser, PATIENCE, poll_frequency=0.05, ignored_exceptions=[WebDriverException]).until(happened)


def see(browser: Chrome, heading: str, screenshot: Path | None = None) -> None:
    wait(browser, lambda _: browser.find_element(By.TAG_NAME, "h1").text == heading)
    if screenshot:
        browser.save_screenshot(screenshot)


def see_nobody(browser: Chrome) -> None:
    wait(browser, lambda _: "ERR_CONNECTION_REFUSED" in browser.page_source)


def text(browser: Chrome) -> str:
    return browser.find_element(By.TAG_NAME, "main").text


def press(browser: Chrome, button: str) -> None:
    browser.find_element(By.ID, button).click()


def press_later(browser: Chrome, button: str) -> None:
    """Let a button be pressed soon. The driver waits for what its own press leads to, and holds every tab meanwhile."""
    browser.execute_script(f"setTimeout(() => document.getElementById('{button}').click(), 300)")


def console(browser: Chrome) -> list[str]:
    """Return what the browser complained about since the last call."""
    entries: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return [entry["message"] for entry in entries]
