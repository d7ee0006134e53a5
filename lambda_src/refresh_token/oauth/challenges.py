"""The challenges of an answer: the headers ``WWW-Authenticate`` (RFC 9110, 11.6.1)."""

import re
from typing import Final

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"?'
_PIECE: Final = re.compile(rf'(?:[^",]|{_QUOTED})+')
"""The text between two commas: a scheme, a parameter, or a scheme and its first parameter."""

_SCHEME: Final = re.compile(r"\s*([^\s=,\"]+)(?:\s+(?!=)|\s*$)")
_PARAMETER: Final = re.compile(rf"(?<![^\s=,\"])([^\s=,\"]++)\s*=\s*({_QUOTED}|[^\s,]+)")


def challenges(header: str) -> list[tuple[str, dict[str, str]]]:
    """Return the scheme and the parameters of each challenge, names in lower case.

    `header` holds the values of all headers, with commas between them (RFC 9110, 5.3).
    """
    found: list[tuple[str, dict[str, str]]] = []
    for piece in _PIECE.findall(header):
        if scheme := _SCHEME.match(piece):
            found.append((scheme[1].lower(), {}))
        if found and (parameter := _PARAMETER.search(piece, scheme.end() if scheme else 0)):
            found[-1][1][parameter[1].lower()] = parameter[2].strip('"')
    return found
