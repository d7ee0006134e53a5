"""What the modules of a package are for, in Markdown, from the first sentences of their docstrings."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.markdown import table

SOURCES: Final = Path(__file__).resolve().parent.parent / "lambda_src"


def modules(*packages: str) -> str:
    """Return the table of the modules and folders in packages below `lambda_src`."""
    return table(("module", "what it is for"), (row for package in packages for row in _rows(package)))


def _rows(package: str) -> Iterator[tuple[str, str]]:
    folder = SOURCES / package
    prefix = "/".join((*Path(package).parts[1:], ""))
    for path in sorted(folder.iterdir()):
        file = path / "__init__.py" if path.is_dir() else path
        if path.name.startswith(("_", ".")) or file.suffix != ".py" or not file.exists():
            continue
        about = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        said = " ".join(about.partition("\n\n")[0].split()).removesuffix(" Pure.").removesuffix(".")
        yield f"`{prefix}{path.stem}{'/' if path.is_dir() else ''}`", said.replace("``", "`")
