"""What the queue carries."""

import json

import pytest

from refresh_token.fleet.messages import Work, read_work


def test_a_message_reads_as_it_was_written() -> None:
    work = Work("acme/u1", 1_700_000_000)
    assert read_work(work.to_body()) == work
    assert json.loads(work.to_body()) == {"connection": "acme/u1", "dueAt": 1_700_000_000}


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"connection":"acme/u1"}',
        '{"connection":"acme/u1","dueAt":"1"}',
        '{"connection":"acme/u1","dueAt":true}',
        '{"connection":"acme/u1","dueAt":1.5}',
        '{"connection":"acme/u1","dueAt":' + "9" * 5_000 + "}",
        '{"connection":"#brake#figma","dueAt":1}',
        '{"connection":"' + "a" * 250_000 + '","dueAt":1}',
        '{"connection":7,"dueAt":1}',
        b'{"connection":"acme/u1","dueAt":1}',
    ],
)
def test_anything_else_is_no_work(body: object) -> None:
    assert read_work(body) is None
