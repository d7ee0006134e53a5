"""The documents, by section."""

import re
from functools import cache
from pathlib import Path

from tests.support.checkout import ROOT


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


def dangling(text: str) -> list[str]:
    """Return the references to our documents that lead nowhere."""
    found = re.findall(r"((?:docs/[\w/]+|README)\.md)(?:#([\w-]+))?", text)
    return [
        f"{path}#{section}"
        for path, section in found
        if not (ROOT / path).exists() or (section and section not in map(anchor, sections(ROOT / path)))
    ]
