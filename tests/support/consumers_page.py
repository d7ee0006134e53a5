"""The code blocks of docs/consumers.md, for the tests that run them."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "consumers.md"
FLEET = "Many connections"


@dataclass(frozen=True)
class Block:
    heading: str
    language: str
    code: str

    @property
    def is_handler(self) -> bool:
        """Whether it is a handler that uses the function of a single grant."""
        return "def lambda_handler(" in self.code and self.language == "python" and self.heading != FLEET


def blocks() -> list[Block]:
    found, heading = [], ""
    for part in re.findall(r"^#+ [^\n]+$|^```\w+\n.*?^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        if part.startswith("#"):
            heading = part.lstrip("# ")
        else:
            language, _, code = part.removeprefix("```").removesuffix("```").partition("\n")
            found.append(Block(heading, language, code))
    return found


def block(heading: str) -> Block:
    (only,) = [block for block in blocks() if block.heading == heading]
    return only
