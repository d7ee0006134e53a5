"""Reading an issuer's own settings from the environment; all faults are reported at once, none with its value."""

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from refresh_token.errors import ConfigurationException

_MOST_DIGITS: Final = 9


class IssuerEnvironment:
    """Reads variables, and notes what is wrong with them. ``check`` comes before anything that was read is used."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._faults: list[str] = []
        self._http_allowed = self.choice("ALLOW_HTTP_ISSUER", ("false", "true")) == "true"

    def text(self, name: str, default: str | None = None) -> str:
        """Return a variable's text; without a default it must be set."""
        text = self._environment.get(name, "") or default
        if text is None:
            self._faults.append(f"{name} must be set")
        return text or ""

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of some words, the first by default."""
        word = self.text(name, choices[0])
        if word not in choices:
            self._faults.append(f"{name} must be one of {', '.join(choices)}")
        return word

    def url(self, name: str, default: str | None = None, *, query: bool = False) -> str:
        """Return an address: https, or http where ALLOW_HTTP_ISSUER says so, which only the local cloud does."""
        url = self.text(name, default)
        schemes = ("https", "http") if self._http_allowed else ("https",)
        if url and not _is_url(url, schemes, query=query):
            extras = "user or fragment" if query else "user, query or fragment"
            self._faults.append(f"{name} must be an address with {' or '.join(schemes)}, without {extras}")
        return url

    def seconds(self, name: str, default: int) -> int:
        """Return a positive whole number of at most nine digits (31 years)."""
        text = self.text(name, str(default))
        if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text):
            return int(text)
        self._faults.append(f"{name} must be a positive whole number")
        return default

    def strings(self, name: str, *, but: tuple[str, ...]) -> dict[str, str]:
        """Return a JSON object of strings, none of whose keys is among ``but``."""
        try:
            found = json.loads(self.text(name, "{}"))
            json.dumps(found, ensure_ascii=False).encode()  # lone surrogates cannot be sent
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            self._faults.append(f"{name} must be a JSON object of strings")
            return {}
        if taken := sorted(set(but) & set(found)):
            self._faults.append(f"{name} must not have {', '.join(taken)}")
        return found

    def check(self) -> None:
        """Raise what was found to be wrong.

        Raises:
            ConfigurationException: names every variable at fault and its rule.

        """
        if self._faults:
            raise ConfigurationException(
                f"The function's environment is wrong: {'; '.join(self._faults)}. Deploy the stack again to set it."
            )


def _is_url(url: str, schemes: tuple[str, ...], *, query: bool) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    extras = parts.username is not None or "#" in url or ("?" in url and not query)
    plain = url.isascii() and url.isprintable() and not set(url) & set(' \\"<>')
    return parts.scheme in schemes and bool(parts.hostname) and port != 0 and plain and not extras
