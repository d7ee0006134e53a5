from pathlib import Path

import pytest

from infra.generated_docs import BEGIN, END, Part, main


def test_the_documents_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_an_outdated_table_is_reported_then_rewritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, begin = tmp_path / "settings.md", BEGIN.format("source")
    document.write_text(f"before\n{begin}\nold\n{END}\nafter\n")
    parts = [Part(document, "source", lambda: "new")]
    assert main(["--check"], parts=parts) == 1
    assert capsys.readouterr().err.startswith("settings.md is out of date")
    assert "old" in document.read_text()
    assert main([], parts=parts) == 0
    assert document.read_text() == f"before\n{begin}\n\nnew\n\n{END}\nafter\n"
    assert main(["--check"], parts=parts) == 0


def test_a_whole_page_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("old")
    assert main(["--check"], parts=[Part(page, "", lambda: "new")]) == 1
    assert main([], parts=[Part(page, "", lambda: "new")]) == 0
    assert page.read_text() == "new"
