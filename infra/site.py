"""Collects the pages of the site in build/site/pages, for MkDocs: `python -m infra.site ASSET...`.

The site's front page is the README, and the other pages at the root of the checkout get lower-case names. A link to
another file of the checkout becomes plain text, because the site does not have that file.
"""

import re
import shutil
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = ROOT / "build" / "site" / "pages"
FROM_ROOT: Final = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "LICENSE": "licence.md",
}

_LINK: Final = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def page(source: Path, *, root: Path = ROOT) -> str:
    """Return a document of the checkout with its links as the site needs them."""
    text = source.read_text(encoding="utf-8")
    if source.name == "LICENSE":
        return f"# Licence\n\n```\n{text}```\n"
    to_top = "../" * (len(source.relative_to(root / "docs").parts) - 1) if (root / "docs") in source.parents else ""

    def on_site(link: re.Match[str]) -> str:
        mark, words, path, anchor = link[1], link[2], link[3], link[4] or ""
        if re.match(r"[a-z]+:", path):
            return link[0]
        target = (source.parent / path).resolve().relative_to(root)
        if target.parts[0] == "docs":
            return f"{mark}[{words}]({to_top}{target.relative_to('docs').as_posix()}{anchor})"
        name = FROM_ROOT.get(target.as_posix())
        return f"{mark}[{words}]({to_top}{name}{anchor})" if name else words

    return _deeper(_LINK.sub(on_site, text))


def _deeper(text: str) -> str:
    """Indent what belongs to the item of a numbered list by four blanks, as MkDocs wants it, instead of three."""
    lines, fenced = [], False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        lines.append(f" {line}" if line.startswith("   ") and not fenced else line)
    return "".join(lines)


def collect(pages: Path, *assets: Path, root: Path = ROOT) -> None:
    """Write every page into `pages`, and copy what they show. The folder `site` also gets the assets."""
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(root / "docs", pages)
    for source in (root / "docs").rglob("*.md"):
        (pages / source.relative_to(root / "docs")).write_text(page(source, root=root), encoding="utf-8")
    for name, new in FROM_ROOT.items():
        (pages / new).write_text(page(root / name, root=root), encoding="utf-8")
    for asset in assets:
        shutil.copy(asset, pages / "site")


if __name__ == "__main__":
    collect(PAGES, *map(Path, sys.argv[1:]))
