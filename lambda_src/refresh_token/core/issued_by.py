"""Whose tokens and credentials these are: the issuer and the host that they were given for. Pure.

A refresh token or a client secret is never sent to another issuer or host than the one that it belongs to.
"""

import re
from typing import Final, NamedTuple

from refresh_token.core.text import NAME, is_text
from refresh_token.errors import ConfigurationException

KEY: Final = "issuedBy"
"""The key in the secrets that hold a pair or an app's credentials."""

_LABEL: Final = r"[a-z][a-z0-9_-]{0,19}"
_DOMAIN: Final = r"([a-z0-9_-]{1,63}\.){1,8}([a-z]{2,20}|xn--[a-z0-9-]{2,20}|[0-9]{1,3})"
_HOST: Final = rf"({NAME}|{_LABEL}|{_DOMAIN}|\[[0-9a-f:.%]{{2,60}}\])(:[0-9]{{1,5}})?"
"""The forms in which names and hosts are shown. Anything else in a secret may be a misplaced token or client secret,
which are longer than a name and end in no top-level domain."""


class IssuedBy(NamedTuple):
    """The name of an issuer, such as ``figma``, and the host that the refresh token is sent to.

    The host is an authority in lower case, without the scheme's own port.
    """

    issuer: str
    host: str

    @classmethod
    def of(cls, issuer: str, host: str) -> "IssuedBy":
        """Return the one spelling for every way to write an issuer and the authority of its https address."""
        host = re.sub(r"(\.|:443)*\Z", "", host.strip().lower())
        return cls(issuer.strip().lower(), re.sub(r"\.+(?=:[0-9]+\Z)", "", host))

    def __str__(self) -> str:
        shown = self.shown()
        return f"{shown.issuer} ({shown.host})"

    def shown(self) -> "IssuedBy":
        """Return it with other words for what may be a misplaced token."""
        issuer = self.issuer if re.fullmatch(NAME, self.issuer) else "an unrecognised issuer"
        host = self.host if re.fullmatch(_HOST, self.host) else "an unrecognised host"
        return IssuedBy(issuer, host)

    def to_document(self) -> dict[str, str]:
        """Return the form in the secret's JSON."""
        return {"issuer": self.issuer, "host": self.host}


def parse_issued_by(value: object) -> IssuedBy:
    """Read the form in a secret's JSON; keys that we don't know are ignored.

    Raises:
        ValueError: the value is anything else. The message names the key and shows no value.

    """
    issuer, host = (value.get("issuer"), value.get("host")) if isinstance(value, dict) else (None, None)
    if not is_text(issuer) or not is_text(host):
        raise ValueError(f"`{KEY}` must be an object with the strings `issuer` and `host`")
    return IssuedBy.of(issuer, host)


def refuse_other_issuer(theirs: IssuedBy | None, ours: IssuedBy, *, what: str, how_to_fix: str) -> None:
    """Refuse to send something to ``ours`` that belongs to another issuer or host. None may be sent anywhere.

    Raises:
        ConfigurationException: ``what`` belongs to ``theirs``; ``how_to_fix`` says what replaces it.

    """
    if theirs not in (None, ours):
        raise ConfigurationException(
            f"{what} to {theirs}, but this stack uses {ours}. Nothing was sent. {how_to_fix}, or deploy the "
            f"settings of {theirs} again.",
            unsent=True,
        )
