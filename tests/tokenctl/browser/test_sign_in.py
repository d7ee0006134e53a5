"""The first sign-in as a person does it: the real command, Chromium, the stand-in's consent page.

Screenshots of every page are in the test's temporary folder.
"""

import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.support.authorize_command import Start, address_in, assert_private, assert_stored, authorize
from tests.support.bare_stack import Stack
from tests.support.chromium import console, press, press_later, see, see_nobody, text, wait
from tests.support.command_line import on_terminal

pytestmark = pytest.mark.xdist_group("sign in")

UNSAFE_PORTS = (10080, 6566, 6697, *range(6665, 6670))
"""Some of the ports that Chromium lets no page call."""


def free(ports: Iterable[int]) -> int:
    for port in ports:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("none is free")


def test_allowing_stores_the_pair(stack: Stack, opened: Start, browser: Chrome, tmp_path: Path) -> None:
    command = opened()
    browser.get(command.address)
    assert "current_user:read" in text(browser)
    browser.save_screenshot(tmp_path / "consent.png")
    press(browser, "allow")
    see(browser, "You are signed in", tmp_path / "signed-in.png")
    done = command.end()

    assert_stored(stack)
    stored = stack.stored()
    assert stored is not None
    day = stored["expiresAt"][:10]
    assert (done.code, done.err) == (0, "")
    assert re.search(rf"Signed in\..*RefreshToken-{stack.stage}\n.*token lives until +{day} ", done.out, re.DOTALL)
    assert re.search(rf"RefreshToken-{stack.stage}\n.*{day}.*You can close this window", text(browser), re.DOTALL)
    # The code is neither in the page nor in the address bar, and the page's own policy allows its style and script.
    assert browser.current_url == command.asked["redirect_uri"]
    assert [complaint for complaint in console(browser) if command.asked["redirect_uri"] in complaint] == []
    assert browser.find_element(By.TAG_NAME, "main").value_of_css_property("border-radius") == "14px"
    assert_private(command, stack, browser.page_source, done.out)

    browser.execute_script("setTimeout(() => location.reload())")
    see_nobody(browser)
    assert len(stack.cloud.standin.calls("ExchangeCodeForToken")) == 1
    assert stack.stored() == stored


def test_a_browser_elsewhere_needs_no_way_back(stack: Stack, browser: Chrome, tmp_path: Path) -> None:
    """Chromium calls nobody at this port, so that the redirect fails as it does on another machine."""

    def sign_in(seen: str) -> str:
        browser.get(address_in(seen))
        press_later(browser, "allow")
        wait(browser, lambda _: "ERR_UNSAFE_PORT" in browser.page_source)
        browser.save_screenshot(tmp_path / "elsewhere.png")
        return browser.current_url

    words = (*authorize(stack), "--no-browser", "--port", str(free(UNSAFE_PORTS)))
    done = on_terminal(stack.cloud.env, *words, dialogue=[("Ctrl-C stops.", sign_in)])
    assert done.code == 0, done.out
    assert_stored(stack)


def test_denying_stores_nothing(stack: Stack, start: Start, browser: Chrome, tmp_path: Path) -> None:
    command = start()
    browser.get(command.address)
    press(browser, "deny")
    see(browser, "Sign-in denied", tmp_path / "denied.png")
    done = command.end()
    message = "The sign-in was denied on Figma's page. Nothing was stored. Run the command again to allow it."
    assert (done.code, done.err) == (255, f"tokenctl: {message}\n")
    assert message in text(browser)
    assert stack.stored() is None
    assert stack.cloud.standin.calls("ExchangeCodeForToken") == []
    assert_private(command, stack, browser.page_source, done.out)
