"""The documents agree with the code: tables, quoted messages, links, commands."""

import ast
import re
import shlex
from pathlib import Path
from typing import cast

import botocore.session
import click
import pytest
from botocore import xform_name

from infra import generated_docs
from infra.site import FROM_ROOT
from refresh_token import errors
from tests.repo.messages import messages
from tests.support.checkout import ROOT
from tests.support.documents import anchor, dangling, sections
from tokenctl.errors import TokenctlError
from tokenctl.main import tokenctl

README, DOCS = ROOT / "README.md", ROOT / "docs"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
RUNBOOK, ARCHITECTURE, ISSUERS = DOCS / "runbook.md", DOCS / "architecture.md", DOCS / "issuers.md"
RECORDS = sorted((DOCS / "adr").glob("*.md"))
ERRORS = [error.__name__ for error in errors.ALL]


def test_every_generated_page_is_up_to_date() -> None:
    assert generated_docs.main(["--check"]) == 0, "run make snapshots"


class TestTables:
    def test_the_runbook_has_an_entry_per_error(self) -> None:
        assert [heading for heading in sections(RUNBOOK) if heading.endswith("Exception")] == ERRORS

    def test_every_decision_record_is_numbered_and_linked(self) -> None:
        for number, record in enumerate(RECORDS, start=1):
            assert record.name.startswith(f"{number:04}-")
            assert record.read_text().startswith(f"# {number}. ")
            assert f"adr/{record.name}" in ARCHITECTURE.read_text()


def test_the_runbook_quotes_messages_that_exist() -> None:
    texts = " ".join(message.text for message in messages()).lower()
    quoted = re.findall(r"(?<!\*)\*(\w[^*|]+)\*(?!\*)", " ".join(RUNBOOK.read_text().split()))
    assert len(quoted) > 4
    assert [words for words in quoted if words.lower() not in texts] == []


def test_every_message_names_sections_that_exist() -> None:
    assert [message for message in messages() if dangling(message.text)] == []


def test_each_finding_says_what_to_do() -> None:
    """A finding that quotes an error does so in the error's words."""
    calls = [
        node
        for path in (ROOT / "tokenctl" / "checks").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding"
    ]
    wrong = [call for call in calls if re.search("WARN|FAIL", ast.unparse(call.args[0]))]
    assert len(wrong) > 10
    mute = [call for call in wrong if len(call.args) < 3 and "error" not in ast.unparse(call.args[1])]
    assert [ast.unparse(call) for call in mute] == []


class TestSite:
    def test_every_page_is_in_the_navigation(self) -> None:
        listed = re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2])
        assert sorted(listed) == sorted(
            [*(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")), *FROM_ROOT.values()]
        )

    @pytest.mark.parametrize("picture", sorted((DOCS / "pictures").glob("*.svg")), ids=lambda picture: picture.stem)
    def test_a_picture_loads_nothing_from_elsewhere(self, picture: Path) -> None:
        drawn = picture.read_text()
        assert re.findall(r"(?:href|src)=|url\(\s*[\"']?(?!#)|@import", drawn) == []
        assert any(f"pictures/{picture.name})" in page.read_text() for page in DOCUMENTS), "no page shows it"

    def test_no_line_of_a_diagram_is_split(self) -> None:
        """Mermaid ends a statement at each semicolon, and then draws nothing at all."""
        diagrams = [
            diagram
            for page in DOCUMENTS
            for diagram in re.findall(r"```mermaid\n(.*?)```", page.read_text(), re.DOTALL)
        ]
        assert len(diagrams) > 10
        assert [diagram for diagram in diagrams if ";" in diagram] == []


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
    assert not fragment or fragment in {anchor(heading) for heading in sections(target)}


COMMANDS = [
    (document.name, service, operation, frozenset(re.findall(r"(?<=\s)--[a-z-]+", rest)))
    for document in DOCUMENTS
    for block in re.findall(r"```[a-z]*\n.*?```|`aws .*?`", document.read_text(), re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
    for service, operation, rest in re.findall(r"\baws ([a-z]+) ([a-z-]+)([^;|]*)", line)
    if (service, operation) not in {("sso", "login"), ("cloudformation", "deploy")}  # no operations of a service
]
GLOBAL_OPTIONS = {"--query", "--output", "--cli-binary-format"}
assert len(COMMANDS) > 5


@pytest.mark.parametrize(("document", "service", "operation", "options"), COMMANDS)
def test_a_documented_aws_command_exists(document: str, service: str, operation: str, options: frozenset[str]) -> None:
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names, document
    shape = model.operation_model(names[operation]).input_shape
    members = shape.members if shape else {}
    # The AWS CLI has two options for a flag: --flag and --no-flag.
    asked = {option.replace("--no-", "--", 1) for option in options - GLOBAL_OPTIONS}
    assert asked <= {f"--{xform_name(name, '-')}" for name in members}, document


def test_every_documented_tokenctl_command_exists() -> None:
    written = {
        (document.name, command, rest)
        for document in DOCUMENTS
        for block in re.findall(r"```[a-z]*\n.*?```|`tokenctl [^`]*`", document.read_text(), re.DOTALL)
        for line in block.replace("\\\n", " ").splitlines()
        for command, rest in re.findall(r"\btokenctl ([a-z][a-z-]*(?: [a-z][a-z-]*)*)([^|;)#`]*)", line)
    }
    assert len(written) > 100
    assert [each for each in sorted(written) if not is_understood(*each[1:])] == []


def is_understood(words: str, rest: str) -> bool:
    """Tell whether tokenctl has the command that the words begin with, and the command has the options."""
    command: click.Command = tokenctl
    for word in words.removeprefix("help ").split():
        if not isinstance(command, click.Group):
            break  # the first argument
        found = command.get_command(click.Context(command), word)
        if found is None:
            return False
        command = found
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return {*re.findall(r"(?<=\s)--[a-z-]+", rest)} <= known


def test_the_parser_takes_each_command_block() -> None:
    """Values in angle brackets stand for one word. A line with square brackets or "…" is a pattern, not a command."""
    lines = [
        (document.name, re.sub(r"<[^<>]*>", "word", command))
        for document in DOCUMENTS
        for block in re.findall(r"```[a-z]*\n(.*?)```", document.read_text(), re.DOTALL)
        for line in block.replace("\\\n", " ").splitlines()
        for command in re.findall(r"(?:^|[|(;&])\s*(tokenctl (?:<[^<>]*>|[^|;)>#])*)", line)
        if "…" not in line and "[" not in re.sub(r"(['\"]).*?\1", "", line)
    ]
    assert len(lines) > 100
    refused = [(name, line, fault) for name, line in lines if (fault := refusal(shlex.split(line, comments=True)[1:]))]
    assert refused == []


def refusal(words: list[str]) -> str | None:
    """Return why the parser of tokenctl refuses a command line; nothing is run."""
    command, context = cast("click.Command", tokenctl), click.Context(tokenctl)
    words = words[1:] if words[0] == "help" else words
    while isinstance(command, click.Group) and words and (found := command.get_command(context, words[0])):
        context, command, words = click.Context(found, parent=context, info_name=words[0]), found, words[1:]
    if isinstance(command, click.Group):
        return None if not words else f"there is no command {words[0]}"
    try:
        command.make_context(command.name, words, parent=context.parent)
    except click.exceptions.Exit:
        return None  # it showed the help
    except click.ClickException as error:
        return error.message
    except TokenctlError as error:
        return str(error)
    return None


def test_every_documented_make_target_exists() -> None:
    targets = {*re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)}
    written = {
        (document.name, target)
        for document in DOCUMENTS
        for block in re.findall(r"```\n.*?```|`make [^`]*`", document.read_text(), re.DOTALL)
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", block, re.MULTILINE)
    }
    assert len(written) > 10
    assert [each for each in sorted(written) if each[1] not in targets] == []
