"""Ids of versions that tell which version they were made from. Pure.

A pair that was written and never made current can be made current later, but only in the place of the version that it
was made from. The id says so by itself: it is a random UUID whose first half was replaced by a digest of that version's
id. So nothing more has to be kept, and no two are the same.
"""

from hashlib import sha256
from typing import Final

_DIGITS: Final = 32
_HALF: Final = 16


def successor_id(version_id: str, chance: str) -> str:
    """Return a new id for what is made from ``version_id``; ``chance`` is the hex of a random UUID."""
    mark = sha256(version_id.encode()).hexdigest()
    digits = f"{mark[:12]}4{mark[13:_HALF]}{chance[_HALF:]}"  # the 4 is for a UUID of the random kind (RFC 9562, 5.4)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def is_successor(candidate: str, version_id: str) -> bool:
    """Tell whether ``candidate`` was made from ``version_id``. By mere chance, one in 2^60 would be."""
    digits = candidate.replace("-", "")
    return len(digits) == _DIGITS and successor_id(version_id, digits) == candidate
