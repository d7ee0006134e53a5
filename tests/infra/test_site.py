"""The pages of the site, as MkDocs gets them. `make docs` checks the links in what it makes of them."""

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from infra.site import collect, page
from infra.site_assets import Asset, fetch


def checkout(root: Path, **texts: str) -> Path:
    for name, text in {"README": "", "CHANGELOG": "", "CONTRIBUTING": "", "SECURITY": "", **texts}.items():
        (root / name).with_suffix(".md").write_text(text)
    (root / "LICENSE").write_text("free\n")
    for name, text in {
        "faq.md": "[up](../README.md#try) [code](../infra)",
        "adr/1.md": "[q](../faq.md) [s](../../SECURITY.md)",
    }.items():
        (root / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "docs" / name).write_text(text)
    (root / "docs" / "site").mkdir()
    return root


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ("README.md", "[faq](faq.md#a) ![picture](pictures/a.svg) [terms](licence.md) https [x](https://example.com)"),
        ("docs/faq.md", "[up](index.md#try) code"),
        ("docs/adr/1.md", "[q](../faq.md) [s](../security.md)"),
        ("LICENSE", "# Licence\n\n```\nfree\n```\n"),
    ],
)
def test_links_lead_to_pages_of_the_site(tmp_path: Path, document: str, shown: str) -> None:
    links = "[faq](docs/faq.md#a) ![picture](docs/pictures/a.svg) [terms](LICENSE) https [x](https://example.com)"
    root = checkout(tmp_path, README=links)
    assert page(root / document, root=root) == shown


def test_code_stays_in_its_numbered_item(tmp_path: Path) -> None:
    root = checkout(tmp_path, README="1. Run\n\n   ```\n   make\n   ```\n\n```\n   code\n```\n")
    assert page(root / "README.md", root=root) == "1. Run\n\n    ```\n    make\n    ```\n\n```\n   code\n```\n"


def test_the_readme_is_the_front_page(tmp_path: Path) -> None:
    root = checkout(tmp_path, README="Hello", SECURITY="Safe")
    (root / "a.js").write_text("draw()")
    (root / "pages").mkdir()
    (root / "pages" / "old.md").write_text("gone")
    collect(root / "pages", root / "a.js", root=root)
    assert (root / "pages" / "index.md").read_text() == "Hello"
    assert (root / "pages" / "site" / "a.js").read_text() == "draw()"
    made = sorted(path.relative_to(root / "pages").as_posix() for path in (root / "pages").rglob("*.md"))
    assert made == ["adr/1.md", "changelog.md", "contributing.md", "faq.md", "index.md", "licence.md", "security.md"]


class TestAssets:
    @pytest.fixture(autouse=True)
    def npm(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An npm that packs a package with one file."""
        with tarfile.open(tmp_path / "packed.tgz", "w:gz") as archive:
            member = tarfile.TarInfo("package/dist/draw.js")
            member.size = 6
            archive.addfile(member, io.BytesIO(b"draw()"))
        (tmp_path / "npm").write_text(f'#!/bin/sh\ncp {tmp_path}/packed.tgz "$4"\n')
        (tmp_path / "npm").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def test_the_known_file_is_taken(self) -> None:
        known = hashlib.sha256(b"draw()").hexdigest()
        assert fetch(Asset("draw.js", "draw@1", "dist/draw.js", known)) == b"draw()"

    def test_another_file_is_refused(self) -> None:
        with pytest.raises(SystemExit, match=r"dist/draw\.js of draw@1 is not the file"):
            fetch(Asset("draw.js", "draw@1", "dist/draw.js", "0" * 64))
