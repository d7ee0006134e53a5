"""What counts as text in a token, an id or a credential, and which tokens can be used.

The function, its issuers, its store and `tokenctl` share these rules. `token_client`, which is shipped by itself, has a
copy of the rule for access tokens.
"""

import re
from typing import Final, TypeGuard

MAX_ACCESS_TOKEN_LENGTH: Final = 16_384
"""Common HTTP servers accept no longer header, and a secret of 65,536 bytes (Secrets Manager quotas) has room for
it."""

CREDENTIAL_RULE: Final = "must be a non-empty string without invisible characters and without spaces around it"
"""The rule of `is_credential`, to follow the name of a key. Pasted text often ends with a line break, or holds a byte
order mark or a space of no width."""

NAME: Final = r"(?=[a-z0-9-]{1,32}(?![a-z0-9-]))(?=[0-9-]*[a-z])[a-z0-9]{1,20}(-[a-z0-9]{1,20})*"
"""What an issuer or a provider may be called. A misplaced token or client secret is longer, or has longer parts."""

NAME_RULE: Final = "must be small letters, with digits and `-` if you like: 32 at most, and 20 at most between two `-`"

_ACCESS_TOKEN: Final = re.compile(rf"[!-~]{{1,{MAX_ACCESS_TOKEN_LENGTH}}}")


def is_text(value: object) -> TypeGuard[str]:
    """Tell whether ``value`` is a non-blank string that can be sent: lone surrogates cannot be encoded."""
    if not isinstance(value, str) or not value.strip():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_access_token(value: object) -> TypeGuard[str]:
    """Tell whether the header ``Authorization`` can carry ``value``: visible ASCII characters (RFC 6750, 2.1)."""
    return isinstance(value, str) and bool(_ACCESS_TOKEN.fullmatch(value))


def is_credential(value: object) -> TypeGuard[str]:
    """Tell whether ``value`` can be a refresh token, a client id or a client secret; CREDENTIAL_RULE says how.

    RFC 6749, appendix A, allows printable ASCII only. A form can carry other characters as well, so they are accepted.
    """
    return is_text(value) and value == value.strip() and value.isprintable()
