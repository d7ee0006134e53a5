"""The documents keep up with the code: entries for errors and alarms, links that lead somewhere, real commands."""

import ast
import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from refresh_token import errors, refresh_once, refresher
from refresh_token.adapters import idempotency_lock
from refresh_token.issuers import connection, figma, oauth2, token_endpoint
from refresh_token.signals import Metric
from tests.support.checkout import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUNBOOK = ROOT / "docs" / "runbook.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
ERRORS = [error.__name__ for error in errors.ALL]


def alarms() -> list[str]:
    """Return the names that `token_refresher/constructs/monitoring.py` gives to alarms."""
    tree = ast.parse((ROOT / "token_refresher" / "constructs" / "monitoring.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    names = [call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "_alarm"]
    return [str(name.value) for name in names if isinstance(name, ast.Constant)]


def metrics() -> list[str]:
    """Return the names of the function's metrics."""
    return [name for key, name in vars(Metric).items() if not key.startswith("__")]


def sections(document: Path) -> dict[str, str]:
    """Return (heading, text below it up to the next heading); what looks like one in a code block is none."""
    found: dict[str, list[str]] = {}
    heading, fenced = "", False
    for line in document.read_text().splitlines():
        fenced ^= line.startswith("```")
        if not fenced and (match := re.fullmatch(r"#{1,6} (.+)", line)):
            heading = match[1]
            assert heading not in found, f"{document.name} has the heading {heading!r} twice"
            found[heading] = []
        else:
            found.setdefault(heading, []).append(line)
    return {name: "\n".join(lines) for name, lines in found.items()}


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_there_are_alarms_and_metrics_to_document() -> None:
    assert len(alarms()) >= 3
    assert "SecondsUntilExpiry" in metrics()


@pytest.mark.parametrize("name", [*ERRORS, *alarms()])
def test_the_runbook_has_an_entry_that_says_what_why_what_to_do_and_when_it_is_over(name: str) -> None:
    entry = sections(RUNBOOK)[name]
    for part in ("**You see**", "**Why**", "**Over**"):
        assert part in entry, part
    assert "**Do**" in entry or "to **do**" in entry


@pytest.mark.parametrize("name", metrics())
def test_the_runbook_says_what_each_metric_means(name: str) -> None:
    assert f"| `{name}` |" in sections(RUNBOOK)["What the metrics mean"]


def test_the_readme_lists_every_error_in_the_contracts_order() -> None:
    assert re.findall(r"^\| `(\w+Exception)` \|", sections(ROOT / "README.md")["Errors"], re.MULTILINE) == ERRORS


LINKS = [
    (document, link)
    for document in DOCUMENTS
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text())
    if not re.match(r"[a-z]+:", link)
]


@pytest.mark.parametrize(("document", "link"), LINKS, ids=[f"{document.name}-{link}" for document, link in LINKS])
def test_a_relative_link_leads_somewhere(document: Path, link: str) -> None:
    path, _, fragment = link.partition("#")
    target = (document.parent / path) if path else document
    assert target.exists()
    if fragment:
        assert fragment in {anchor(heading) for heading in sections(target)}


def test_every_decision_record_is_linked_from_the_architecture() -> None:
    text = ARCHITECTURE.read_text()
    missing = [record.name for record in (ROOT / "docs" / "adr").glob("*.md") if f"adr/{record.name}" not in text]
    assert missing == []


def test_every_decision_record_has_a_number_of_its_own_which_its_heading_says() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        assert record.read_text().startswith(f"# {int(record.name[:4])}. "), record.name


def test_every_module_of_the_core_is_named_in_the_architecture() -> None:
    text = sections(ARCHITECTURE)["Parts"]
    package = ROOT / "lambda_src" / "refresh_token"
    modules = {path.stem for path in package.iterdir() if not path.name.startswith("__")}
    assert [name for name in sorted(modules) if f"{name}" not in text] == []


ISSUERS_NUMBERS = [
    f"{connection.MOST_BYTES // 1024} KiB",
    f"for {connection.LONGEST_IDLE:g} s at most",
    f"{connection.CONNECT_TIMEOUT:g} s for each address",
    f"{connection.READ_TIMEOUT:g} s from the request",
    f"seconds, default {oauth2.DEFAULT_LIFETIME}",
    f"default `{figma.BASE_URL}`",
    f"ask for {refresh_once.COOLDOWN.total_seconds():g} seconds",
    f"{['', 'One', 'Two', 'Three'][token_endpoint.MOST_ATTEMPTS]} attempts at most",
]


@pytest.mark.parametrize("words", ISSUERS_NUMBERS)
def test_a_number_in_the_issuers_document_is_the_one_in_the_code(words: str) -> None:
    assert words in (ROOT / "docs" / "issuers.md").read_text()


def test_every_variable_of_an_issuer_is_documented() -> None:
    source = "".join(path.read_text() for path in (ROOT / "lambda_src/refresh_token/issuers").glob("*.py"))
    read = set(re.findall(r'read\.\w+\("([A-Z0-9_]+)"', source)) | {"ISSUER", "ALLOW_HTTP_ISSUER"}
    assert len(read) > 6
    documented = sections(ROOT / "docs" / "issuers.md")["The function's environment"]
    assert [name for name in sorted(read) if f"`{name}`" not in documented] == []


NUMBERS = [
    (f"(`WRITE_RESERVE`) | {refresh_once.WRITE_RESERVE:g} |", "The time of an invocation"),
    (f"(`MIN_CALL_TIME`) | {refresh_once.MIN_CALL_TIME:g} |", "The time of an invocation"),
    (
        f"this and the reserve, {refresh_once.WRITE_RESERVE + refresh_once.MIN_CALL_TIME:g} s",
        "The time of an invocation",
    ),
    (f"(`CLOSE_RESERVE`) | {refresh_once.CLOSE_RESERVE:g} |", "The time of an invocation"),
    (f"(`MIN_WRITE_TIME`) | {refresh_once.MIN_WRITE_TIME:g} |", "The time of an invocation"),
    (f"(`ANSWER_RESERVE`) | {refresher.ANSWER_RESERVE:g} |", "The time of an invocation"),
    (f"{refresh_once.INITIAL_PAUSE:g} growing to {refresh_once.MAX_PAUSE:g}", "The time of an invocation"),
    (f"| {idempotency_lock.KEEP_DONE // 60} minutes |", "The lock's record"),
    (f"| {idempotency_lock.KEEP_FAILURE // 86400} days |", "The lock's record"),
    (f"cooldown is {refresh_once.COOLDOWN.total_seconds():g} s", "The lock's record"),
    (f"or {refresh_once.COOLDOWN_REFUSED.total_seconds() / 60:g} min when", "The lock's record"),
]


@pytest.mark.parametrize(("words", "section"), NUMBERS, ids=[words for words, _ in NUMBERS])
def test_a_number_in_the_architecture_is_the_one_in_the_code(words: str, section: str) -> None:
    assert words in sections(ARCHITECTURE)[section]


GLOBAL_OPTIONS = {"--query", "--output", "--cli-binary-format"}


def commands() -> list[tuple[str, str, str, frozenset[str]]]:
    """Return the calls of the AWS CLI in all code: (document, service, operation, options)."""
    found = []
    for document in DOCUMENTS:
        for block in re.findall(r"```[a-z]*\n.*?```|`aws .*?`", document.read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                for service, operation, rest in re.findall(r"\baws ([a-z]+) ([a-z-]+)([^;|]*)", line):
                    found.append((document.name, service, operation, frozenset(re.findall(r"(?<=\s)--[a-z-]+", rest))))
    return found


def test_there_are_commands_to_check() -> None:
    assert len(commands()) > 15


@pytest.mark.parametrize(("document", "service", "operation", "options"), commands())
def test_a_documented_command_exists_with_its_options(
    document: str, service: str, operation: str, options: frozenset[str]
) -> None:
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names, document
    shape = model.operation_model(names[operation]).input_shape
    members = shape.members if shape else {}
    assert options - GLOBAL_OPTIONS <= {f"--{xform_name(name, '-')}" for name in members}, document
