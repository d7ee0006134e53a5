"""List every text that people see, once, as a Markdown table: `make messages`.

Read the table from top to bottom to check that all messages sound alike. A text is any string of two or more words
outside docstrings, comments and annotations, or the docstring of a command, which click prints as its help.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ("bench", "infra", "lambda_src", "local", "token_refresher", "tokenctl")

KINDS: Final = (
    ("error", r"(Error|Exception|Fault|Refused)$|^(_?invalid|_?fault|_?malformed|_?refus\w*|parser\.error)$"),
    ("question", r"^(confirm|prompt|ask\w*)$"),
    ("help", r"^(option|argument|add_argument|ArgumentParser|command|version_option|setting)$"),
    ("check", r"^Finding$"),
    ("page", r"^Page$"),
    ("log", r"^(debug|info|warning|error|exception|warn)$"),
    ("output", r"^(s?echo|print|write|add_row|add_column|Table|status|_step|_check|progress)$"),
    ("", r"^(compile|fullmatch|match|search|sub|findall|fetchall|split|TypeVar|setitem)$"),
)
"""The kind of a text, by the name of the call that receives it. The last row skips patterns, which nobody reads."""


class Message(NamedTuple):
    """A text, the place that defines it, and its kind."""

    place: str
    kind: str
    text: str


class Reader(ast.NodeVisitor):
    """Collects the texts of one module. The innermost call that has a kind decides the kind of a text."""

    def __init__(self, file: str) -> None:
        self.found: list[Message] = []
        self._file = file
        self._kind = "text"

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Read the decorators, a command's help and the body, not the annotations."""
        if any(".command" in ast.unparse(decorator) for decorator in node.decorator_list):
            self._add(node, "help", ast.get_docstring(node) or "")
        for part in (*node.decorator_list, *node.body):
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func).rpartition(".")[2]
        outer = self._kind
        self._kind = next((kind for kind, pattern in KINDS if re.search(pattern, name)), outer)
        self.generic_visit(node)
        self._kind = outer

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._add(node, self._kind, node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        parts = (
            f"{{{ast.unparse(part.value)}}}" if isinstance(part, ast.FormattedValue) else str(ast.literal_eval(part))
            for part in node.values
        )
        self._add(node, self._kind, "".join(parts))

    def _add(self, node: ast.expr | ast.FunctionDef, kind: str, text: str) -> None:
        text = " ".join(text.split())
        if kind and re.search(r"[a-z]{2,}[}`',;:.)]* [(`'{]*[a-z]", text) and "</" not in text:
            self.found.append(Message(f"{self._file}:{node.lineno}", kind, text))


def messages() -> Iterator[Message]:
    """Yield each text once, with the first place that defines it."""
    seen = set()
    for file in (file for source in SOURCES for file in sorted((ROOT / source).rglob("*.py"))):
        reader = Reader(str(file.relative_to(ROOT)))
        reader.visit(ast.parse(file.read_text(encoding="utf-8")))
        for message in reader.found:
            if message.text not in seen:
                seen.add(message.text)
                yield message


if __name__ == "__main__":
    sys.stdout.write("| where | kind | text |\n|---|---|---|\n")
    for message in messages():
        escaped = message.text.replace("|", "\\|")
        sys.stdout.write(f"| {message.place} | {message.kind} | {escaped} |\n")
