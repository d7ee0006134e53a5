from pathlib import Path

import pytest

from infra import providers_page
from infra.generated_tables import BEGIN, END, Part, main


def test_the_documents_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_an_outdated_table_is_reported_then_rewritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, begin = tmp_path / "settings.md", BEGIN.format("source")
    document.write_text(f"before\n{begin}\nold\n{END}\nafter\n")
    parts = [Part(document, "source", lambda: "new")]
    assert main(["--check"], parts=parts) == 1
    assert capsys.readouterr().err.startswith("A table in settings.md is out of date")
    assert "old" in document.read_text()
    assert main([], parts=parts) == 0
    assert document.read_text() == f"before\n{begin}\n\nnew\n\n{END}\nafter\n"
    assert main(["--check"], parts=parts) == 0


def test_the_page_of_providers_is_checked_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert providers_page.main(["--check"]) == 0
    document = tmp_path / "providers.md"
    document.write_text("old")
    assert providers_page.main(["--check"], document=document) == 1
    assert "The table in providers.md is out of date. Run make snapshots." in capsys.readouterr().err
    assert providers_page.main([], document=document) == 0
    assert document.read_text() == providers_page.PAGE.read_text()
