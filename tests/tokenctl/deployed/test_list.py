"""`tokenctl list`, and the stages that a mistyped --stage could have meant."""

import pytest

from tests.support.bare_stack import Stack
from tests.support.command_line import Tokenctl
from tests.support.http_server import answering

pytestmark = pytest.mark.xdist_group("deployed")

DELETING = "".join(
    f"<member><StackName>{name}</StackName><CreationTime>2030-01-01T00:00:00Z</CreationTime>{parent}"
    "<StackStatus>DELETE_IN_PROGRESS</StackStatus></member>"
    for name, parent in (
        *(("RefreshToken-test", ""), ("RefreshToken-Acme-of-more-than-20", ""), ("RefreshToken", "")),
        ("RefreshToken-prod-Nested1ABC", "<ParentId>arn</ParentId>"),
    )
)
LISTED = (
    '<ListStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><ListStacksResult>'
    f"<StackSummaries>{DELETING}</StackSummaries></ListStacksResult></ListStacksResponse>"
)


def test_shows_each_stage_with_its_state(tokenctl: Tokenctl, bare: Stack) -> None:
    stages = tokenctl("list", "--output", "json").json
    assert {"local", bare.stage} <= {stage["stage"] for stage in stages}
    (local,) = [stage for stage in stages if stage["stage"] == "local"]
    assert (local["stack"], local["status"]) == ("RefreshToken-local", "CREATE_COMPLETE")
    done = tokenctl("list")
    assert done.code == 0
    assert [line.split()[:2] for line in done.out.splitlines()] == [[each["stage"], each["status"]] for each in stages]


def test_a_region_without_stages_is_named(tokenctl: Tokenctl) -> None:
    done = tokenctl("list", "--region", "eu-north-1")
    assert (done.code, done.out) == (0, "")
    assert done.err == "There is no stack RefreshToken-<stage> in eu-north-1.\n"
    assert tokenctl("list", "--region", "eu-north-1", "--output", "json").json == []


def test_stages_in_any_state_are_listed(tokenctl: Tokenctl) -> None:
    with answering(200, LISTED) as url:
        done = tokenctl("list", "--endpoint-url", url)
    assert [line.split()[:2] for line in done.out.splitlines()] == [
        [stage, "DELETE_IN_PROGRESS"] for stage in ("Acme-of-more-than-20", "test")
    ]


def test_a_mistyped_stage_is_corrected(tokenctl: Tokenctl, bare: Stack) -> None:
    done = tokenctl("token", "--stage", "locl")
    assert done.code == 253
    assert f"There is no stack RefreshToken-locl in us-east-1. The stages there are local, {bare.stage}" in done.err
    assert "Did you mean --stage local?" in done.err
