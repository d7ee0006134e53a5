"""Reading an issuer's settings from the function's environment variables, which the stack sets."""

import json
from collections.abc import Mapping
from typing import Final

from refresh_token.errors import ConfigurationException
from refresh_token.oauth.addresses import HTTPS, HTTPS_OR_HTTP, is_url, url_rule

ISSUER: Final = "ISSUER"
APP_SECRET_ARN: Final = "APP_SECRET_ARN"  # noqa: S105 - the name of a variable
ALLOW_HTTP: Final = "ALLOW_HTTP_ISSUER"
"""Whether an issuer's address may be http: only where the issuer is a stand-in on the local cloud."""

_MAX_DIGITS: Final = 9


class VariableReader:
    """Reads variables and collects their faults. Call `check` before you use what you read."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._faults: list[str] = []
        self._schemes = HTTPS_OR_HTTP if self.choice(ALLOW_HTTP, ("false", "true")) == "true" else HTTPS

    def text(self, name: str, default: str | None = None) -> str:
        """Return a variable's text. Without a default it must be set."""
        text = self._variables.get(name, "") or default
        if text is None:
            self._faults.append(f"{name} must be set")
        return text or ""

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of `choices`; the first is the default."""
        word = self.text(name, choices[0])
        if word not in choices:
            self._faults.append(f"{name} must be one of {', '.join(choices)}")
        return word

    def url(self, name: str, default: str | None = None, *, query: bool = False) -> str:
        """Return an address with https, or with http if ALLOW_HTTP_ISSUER is true."""
        url = self.text(name, default)
        if url and not is_url(url, self._schemes, query=query):
            self._faults.append(f"{name} {url_rule(self._schemes, query=query)}")
        return url

    def seconds(self, name: str, default: int) -> int:
        """Return a positive whole number of at most nine digits (31 years)."""
        text = self.text(name, str(default))
        if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text):
            return int(text)
        self._faults.append(f"{name} must be a positive whole number")
        return default

    def strings(self, name: str, *, reserved: tuple[str, ...]) -> dict[str, str]:
        """Return a JSON object of strings without any of the `reserved` keys; {} if the variable is not set."""
        try:
            found = json.loads(self.text(name, "{}"))
            json.dumps(found, ensure_ascii=False).encode()  # lone surrogates cannot be sent
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            self._faults.append(f"{name} must be a JSON object of strings")
            return {}
        if taken := sorted(set(reserved) & set(found)):
            self._faults.append(f"{name} must not have {', '.join(taken)}")
        return found

    def check(self) -> None:
        """Raise if anything that was read is wrong.

        Raises:
            ConfigurationException: names every faulty variable and its rule, and shows no value.

        """
        if self._faults:
            raise ConfigurationException(
                f"The function's environment is wrong: {'; '.join(self._faults)}. Deploy the stack again to set it."
            )
