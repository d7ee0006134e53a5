"""Lines for people: columns that stay columns, whatever the terminal is."""

import sys
from datetime import UTC, datetime, timedelta

import click
import pytest

from refresh_token.core.windows import iso_utc
from tokenctl.aws_style.output import Output
from tokenctl.terminal.columns import in_column
from tokenctl.terminal.connection_lines import MAX_NAME, Row, drawn

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TEXT = "a connection waits. Run `tokenctl connections list --state refused`, and then wait a little more for it."


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> int:
    """Make standard output a terminal of this width."""
    width: int = request.param
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    return width


class TestAColumn:
    @pytest.mark.parametrize("columns", [60, 80, 200], indirect=True)
    def test_keeps_its_lines_and_each_command(self, columns: int) -> None:
        first, *others = in_column(TEXT, indent=20).split("\n")
        assert all(line.startswith(" " * 20) and line[20] != " " for line in others)
        assert [first, *(line[20:] for line in others)] == [line.strip() for line in (first, *others)]
        assert max(len(first) + 20, *map(len, others), 0) <= max(columns, 20 + 47)
        assert sum("`tokenctl connections list --state refused`" in line for line in (first, *others)) == 1

    def test_is_one_line_in_a_log(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "40")
        assert in_column(TEXT, indent=20) == TEXT


def row(name: str, state: str = "active", *, expires: timedelta | None = None, due: timedelta | None = None) -> Row:
    moments = {
        key: None if after is None else iso_utc(NOW + after) for key, after in (("expiresAt", expires), ("dueAt", due))
    }
    reason = None if state == "active" else "IssuerUnavailableException"
    return {"connection": name, "provider": "linear", "state": state, "reason": reason, **moments}


class TestConnections:
    def test_have_columns_that_no_name_breaks(self) -> None:
        long = f"{'t' * 64}/{'u' * 64}"
        days = timedelta(days=1)
        rows = [
            row("acme/u1", expires=9 * days, due=2 * days),
            row(long, "malformed"),
            row("b", "cooling", expires=-days),
        ]
        shown = [click.unstyle(line) for line in drawn(rows, now=NOW)]
        names = ["acme/u1".ljust(MAX_NAME), long, "b".ljust(MAX_NAME)]
        assert shown == [
            f"active     {names[0]}  linear  expires in 9 days     due in 2 days",
            f"malformed  {names[1]}  linear  expiry unknown        not due        IssuerUnavailableException",
            f"cooling    {names[2]}  linear  expired 24 hours ago  not due        IssuerUnavailableException",
        ]

    def test_may_be_none(self) -> None:
        assert [*drawn([], now=NOW)] == []


@pytest.mark.parametrize(
    ("option", "variables", "colored"),
    [
        ("auto", {}, None),
        ("auto", {"NO_COLOR": ""}, None),
        ("auto", {"NO_COLOR": "1"}, False),
        ("auto", {"TERM": "dumb"}, False),
        ("on", {"NO_COLOR": "1"}, True),
        ("off", {}, False),
    ],
)
def test_colours_follow_the_terminals_variables(
    monkeypatch: pytest.MonkeyPatch, option: str, variables: dict[str, str], *, colored: bool | None
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Output(color=option).colored is colored
