"""The operator's browser."""

import threading
import webbrowser
from collections.abc import Callable


def has_browser() -> bool:
    """Tell whether this machine has a browser."""
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def open_in_background(address: str, *, if_it_fails: Callable[[], None]) -> None:
    """Open an address. In a thread, because a browser in the foreground returns only when it is closed."""

    def open_it() -> None:
        if not webbrowser.open(address):
            if_it_fails()

    threading.Thread(target=open_it, name="browser", daemon=True).start()
