"""The documents, by section."""

import re
from functools import cache
from pathlib import Path


@cache
def sections(document: Path) -> dict[str, str]:
    """Return each heading with the text up to the next one; a line of a code block is never a heading."""
    found: dict[str, str] = {"": ""}
    heading, fenced = "", False
    for line in document.read_text().splitlines():
        fenced ^= line.lstrip().startswith("```")
        if not fenced and (match := re.fullmatch(r"#{1,6} (.+)", line)):
            heading = match[1]
            assert heading not in found, f"{document.name} has the heading {heading!r} twice"
            found[heading] = ""
        else:
            found[heading] += f"{line}\n"
    return found


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
