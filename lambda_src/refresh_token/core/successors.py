"""Version ids that show which version they succeed. Pure.

A pair that was written but never promoted may be promoted later, but only to replace the version that it was made from.
Its id shows which one that is: it is a random UUID with a digest of that version's id in its first half. So nothing
else has to be stored, and no two ids are the same.
"""

from hashlib import sha256
from typing import Final

_DIGITS: Final = 32
_HALF: Final = 16


def successor_id(version_id: str, random: str) -> str:
    """Return a new id for a successor of ``version_id``; ``random`` is the hex of a random UUID."""
    mark = sha256(version_id.encode()).hexdigest()
    digits = f"{mark[:12]}4{mark[13:_HALF]}{random[_HALF:]}"  # the 4 marks a random UUID (RFC 9562, 5.4)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def is_successor(candidate: str, version_id: str) -> bool:
    """Tell whether ``candidate`` is the id of a successor of ``version_id``. One random id in 2^60 looks like one."""
    digits = candidate.replace("-", "")
    return len(digits) == _DIGITS and successor_id(version_id, digits) == candidate
