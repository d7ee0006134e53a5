from pathlib import Path

import pytest

from infra.docstrings import about_members, paragraphs
from infra.generated_docs import BEGIN, END, Part, main
from infra.schema_table import keys_tables
from refresh_token.fleet.state_change import Reason
from refresh_token.fleet.states import State
from refresh_token.signals import Metric


@pytest.mark.parametrize("kind", [Metric, Reason, State])
def test_each_name_says_what_it_means(kind: type) -> None:
    assert [name for name, text in about_members(kind).items() if not text] == []


def test_a_docstring_is_read_by_its_labels() -> None:
    class Broken(Exception):  # noqa: N818 - named as our errors are
        """It broke: badly.

        And so on.

        What to do: mend it.

        ``final``: not for readers.
        """

    assert paragraphs(Broken) == {"": "It broke: badly. And so on.", "What to do": "mend it."}


def test_a_schema_becomes_one_table_of_keys() -> None:
    inner = {"required": ["b"], "properties": {"b": {"type": ["string", "null"]}, "c": {"enum": ["x", "y"]}}}
    schema = {"required": ["list"], "properties": {"list": {"type": "array", "items": inner}}}
    rows = [
        "| key | what it is |",
        "| --- | --- |",
        "| `list[].b` | text (or null) |",
        "| `list[].c` | `x`, `y` (optional) |",
    ]
    assert keys_tables(schema).splitlines() == rows


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
