"""`tokenctl connections show` and `seed`: one connection."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from refresh_token.core.claims import Failure
from refresh_token.core.issued_by import IssuedBy
from refresh_token.core.windows import iso_utc
from refresh_token.fleet import operator_writes, writes
from refresh_token.fleet.due import Retry
from refresh_token.fleet.states import State
from tests.support.bare_fleet import ACME, BareFleet
from tests.support.command_line import Done, Tokenctl, on_terminal
from tests.support.connections import REFRESH, line
from tests.support.fakes import NOW
from tests.support.fleet import pair_of

pytestmark = pytest.mark.xdist_group("connections")

NAME = "acme/u1"
ELSEWHERE = IssuedBy("oauth2", "old.example")
PAIR = {"accessToken": "canary-access", "refreshToken": "canary-refresh", "clientId": "canary-client"}


def seed(tokenctl: Tokenctl, *words: str, **document: object) -> Done:
    return tokenctl("seed", NAME, "--output", "json", *words, stdin=json.dumps(document or PAIR))


class TestShow:
    def test_names_everything_but_tokens(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        pair = pair_of("canary-a", client_id="canary-c", provider="oauth2", scope="read", values={"realm": "7"})
        seen = fleet.table.seed(NAME, pair, policy="demand")
        failure = Failure("IssuerUnavailableException", NOW)
        request = writes.claim(seen, now=NOW.timestamp(), seconds=30, claim_id="c", ignore_cooldown=False)
        fleet.table.make("update_item", request)
        retry = Retry(State.COOLING, 4_000_000_000)
        request = writes.record_failure(seen, "c", failure, attempts=2, retry=retry)
        fleet.table.make("update_item", request)
        shown = tokenctl("show", NAME, "--output", "json").json
        assert {key: shown[key] for key in ("state", "policy", "scope", "values", "attempts", "dueAt")} == {
            "state": "cooling",
            "policy": "demand",
            "scope": "read",
            "values": {"realm": "7"},
            "attempts": 2,
            "dueAt": "2096-10-02T07:06:40Z",
        }
        assert shown["failure"] == {
            "reason": "IssuerUnavailableException",
            "retryAt": iso_utc(NOW),
            "refused": False,
            "lost": False,
        }
        people = tokenctl("show", NAME).out
        assert people.startswith(f"{NAME} is cooling\nThe fleet tries again when it is due.")
        assert "reason=IssuerUnavailableException" in people

    @pytest.mark.parametrize("state", [*State])
    def test_advises_for_each_state(self, tokenctl: Tokenctl, fleet: BareFleet, state: State) -> None:
        fleet.table.seed(NAME, pair_of(provider="oauth2"))
        fleet.table.change(NAME, state={"S": state.value})
        done = tokenctl("show", NAME)
        assert f"is {state}\n" in done.out
        assert (f"{NAME} --stage {fleet.stage}`" in done.out) is (state is not State.ACTIVE)

    @pytest.mark.parametrize(
        ("facts", "why"),
        [
            ({"provider": "linear"}, "The fleet has no provider linear any more"),
            ({"issued_by": ELSEWHERE}, "belong to oauth2 (old.example), but the fleet uses oauth2 (acme.example)"),
        ],
    )
    @pytest.mark.parametrize("state", [State.ACTIVE, State.COOLING])
    def test_says_why_no_refresh_can_work(
        self, tokenctl: Tokenctl, fleet: BareFleet, facts: dict[str, Any], why: str, state: State
    ) -> None:
        fleet.table.seed(NAME, pair_of(**{"provider": "oauth2", **facts}))
        fleet.table.change(NAME, state={"S": state.value})
        advice = tokenctl("show", NAME).out.splitlines()[1]
        assert why in advice
        assert f"{NAME} --stage {fleet.stage}`" in advice

    def test_shows_an_item_that_somebody_broke(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        item: Any = {"pk": {"S": NAME}, "state": {"N": "7"}, "expiresAt": {"L": []}, "params": {"S": "x"}}
        fleet.table.client.put_item(TableName=fleet.name, Item=item)
        done = tokenctl("show", NAME, "--output", "json")
        assert (done.code, done.json["state"], done.json["hasRefreshToken"]) == (0, "malformed", False)
        assert tokenctl("show", NAME).code == 0

    @pytest.mark.parametrize(
        ("name", "code", "message"),
        [
            ("acme/u2", 255, "There is no connection acme/u2. `tokenctl connections list --stage"),
            ("canary@acme.example", 252, "The name of a connection must be one or two parts"),
            ("#brake#canary", 252, "The name of a connection must be one or two parts"),
        ],
    )
    def test_refuses_what_is_not_there(self, tokenctl: Tokenctl, name: str, code: int, message: str) -> None:
        done = tokenctl("show", name)
        assert (done.code, done.out, message in done.err) == (code, "", True)


class TestSeed:
    def test_makes_a_connection(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        done = seed(tokenctl, **PAIR, expiresIn="3600", note="canary")
        record = fleet.table.record(NAME)
        assert (done.code, done.json["versionId"]) == (0, record.version)
        assert done.err == "A connection does not keep these keys, which are left out: `note`.\n"
        assert (record.access, fleet.opened(NAME)) == (PAIR["accessToken"], PAIR["refreshToken"])

    def test_makes_any_connection_active(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        seen = fleet.table.seed(NAME, pair_of(provider="oauth2"), policy="demand")
        fleet.table.make("update_item", operator_writes.pause(seen))
        done = seed(tokenctl)
        assert (done.code, "Nobody can confirm this here" in done.err) == (252, True)
        assert fleet.table.record(NAME).version == seen.version
        assert seed(tokenctl, "--yes").code == 0
        record = fleet.table.record(NAME)
        assert (record.state, record.policy, record.version != seen.version) == (State.ACTIVE, "demand", True)

    def test_asks_on_a_terminal_and_shows_nothing(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        assert tokenctl
        fleet.table.seed(NAME)
        dialogue = [
            ("Access token", ""),
            ("Refresh token", "canary-typed"),
            ("Client id", ""),
            ("Expiry", ""),
            ("Go on?", "y"),
        ]
        done = on_terminal(fleet.cloud.env, "connections", "seed", NAME, "--stage", fleet.stage, dialogue=dialogue)
        assert (done.code, "canary" in done.out, fleet.opened(NAME)) == (0, False, "canary-typed")

    def test_needs_a_provider_in_a_fleet_of_two(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        fleet.set({"oauth2": ACME, "zendesk": {"ISSUER": "zendesk"}})
        done = seed(tokenctl)
        assert (done.code, "`provider` must be one of oauth2, zendesk" in done.err) == (252, True)
        done = seed(tokenctl, "--provider", "zendesk")
        assert (done.code, "ISSUER_PARAMS" in done.err, "`params`" in done.err) == (252, False, True)
        assert seed(tokenctl, "--provider", "zendesk", **PAIR, params={"subdomain": "acme"}).code == 0
        assert fleet.table.record(NAME).params == {"subdomain": "acme"}
        assert seed(tokenctl, "--yes").json["provider"] == "zendesk"
        assert fleet.table.record(NAME).params == {"subdomain": "acme"}
        assert seed(tokenctl, "--yes", "--provider", "oauth2").json["provider"] == "oauth2"
        assert fleet.table.record(NAME).params == {}

    def test_mends_an_item_that_somebody_broke(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        broken: Any = {"pk": {"S": NAME}, "state": {"N": "7"}, "policy": {"S": "x"}, "params": {"S": "x"}}
        fleet.table.client.put_item(TableName=fleet.name, Item=broken)
        assert seed(tokenctl, "--yes").code == 0
        assert fleet.table.record(NAME).state is State.ACTIVE

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("canary", "it is not JSON. Nothing was stored."),
            (line("acme/u2"), "The input says that it is of another connection."),
            ('{"accessToken": "canary"}', "`refreshToken` is missing. Nothing was stored."),
            ('{"refreshToken": "canary", "expiresAt": "canary"}', "`expiresAt` must be an ISO 8601 date and time."),
        ],
    )
    def test_refuses_what_is_no_pair(self, tokenctl: Tokenctl, fleet: BareFleet, text: str, message: str) -> None:
        done = tokenctl("seed", NAME, stdin=text)
        assert (done.code, message in done.err, fleet.names()) == (252, True, [])


class TestExport:
    def test_gives_back_what_import_takes(self, tokenctl: Tokenctl, fleet: BareFleet, tmp_path: Path) -> None:
        fleet.set(SEAL_ACCESS_TOKENS="true")
        expires_at = iso_utc(datetime.now(UTC) + timedelta(days=30))
        text = line("a", accessToken="canary-access", expiresAt=expires_at, policy="warm", clientId="canary")
        assert tokenctl("import", "--from", "-", stdin=f"{text}\n{line('b')}").code == 0
        file = tmp_path / "out.jsonl"
        done = tokenctl("export", "--to", str(file), "--output", "json")
        assert "holds refresh tokens in clear text. Delete it" in done.err
        assert (done.code, done.json) == (0, {"exported": 2, "skipped": []})
        assert file.stat().st_mode & 0o777 == 0o600
        exported = {each["connection"]: each for each in map(json.loads, file.read_text().splitlines())}
        assert exported["a"].items() >= json.loads(text).items()
        assert exported["b"]["refreshToken"] == REFRESH.format("b")
        again = tokenctl("import", "--from", str(file), "--output", "json")
        assert (again.json["unchanged"], again.err.count("left out")) == (2, 0)
        fleet.reset()
        assert tokenctl("import", "--from", str(file), "--output", "json").json["imported"] == 2

    def test_may_name_connections(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        tokenctl("import", "--from", "-", stdin="\n".join(map(line, ("a", "b/1", "b/2"))))
        fleet.table.make("update_item", operator_writes.revoke(fleet.table.record("b/2"), version="v", now=NOW))
        done = tokenctl("export", "a", "b/2", "c")
        assert [json.loads(each)["connection"] for each in done.out.splitlines()] == ["a"]
        assert "Skipped 2 without tokens, such as" in done.err
        assert json.loads(tokenctl("export", "--tenant", "b").out)["connection"] == "b/1"

    def test_shows_no_token_unasked(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        tokenctl("import", "--from", "-", stdin=line("a"))
        words = ("connections", "export", "--stage", fleet.stage)
        done = on_terminal(fleet.cloud.env, *words)
        assert (done.code, "canary" in done.out) == (252, False)
        done = on_terminal(fleet.cloud.env, *words, "--to", "-")
        assert (done.code, REFRESH.format("a") in done.out) == (0, True)

    def test_neither_overwrites_nor_leaves_a_part(self, tokenctl: Tokenctl, fleet: BareFleet, tmp_path: Path) -> None:
        tokenctl("import", "--from", "-", stdin=line("a"))
        file = tmp_path / "there"
        file.write_text("mine")
        done = tokenctl("export", "--to", str(file))
        assert (done.code, "cannot be created (File exists)" in done.err, file.read_text()) == (252, True, "mine")
        fleet.table.change("a", refreshToken={"L": [{"B": b"broken"}]})
        new = tmp_path / "new"
        assert tokenctl("export", "--to", str(new)).code == 254
        assert not new.exists()
        kms, context = fleet.cloud.client("kms"), {"connection": "a"}
        sealed = kms.encrypt(KeyId=fleet.key, Plaintext=b"\xff", EncryptionContext=context)["CiphertextBlob"]
        fleet.table.change("a", refreshToken={"L": [{"B": sealed}]})
        done = tokenctl("export")
        assert (done.code, done.out, "A token of a is no text." in done.err) == (255, "", True)

    @pytest.mark.parametrize("words", [("--output", "json"), ("a", "--tenant", "b")])
    def test_refuses_a_wrong_command_line(self, tokenctl: Tokenctl, words: tuple[str, ...]) -> None:
        done = tokenctl("export", *words)
        assert (done.code, done.out) == (252, "")
