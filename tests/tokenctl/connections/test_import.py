"""`tokenctl connections import`: what is refused, what becomes of the rest, and how it goes on after a stop."""

import json
import os
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from refresh_token.core.windows import iso_utc
from refresh_token.fleet.names import NAME_RULE
from refresh_token.fleet.states import State
from refresh_token.oauth.issuers import AMPLIFY_ISSUED_BY
from tests.support.bare_fleet import ACME, DAY, BareFleet
from tests.support.command_line import Done, Tokenctl
from tests.support.connections import REFRESH, line, lines
from tests.support.fault_proxy import FaultProxy, Strike
from tests.support.memory_fleet import provider
from tokenctl import main
from tokenctl.connections.entries import Entries
from tokenctl.connections.import_check import check
from tokenctl.connections.issuers import Issuers
from tokenctl.connections.sources import open_lines

pytestmark = pytest.mark.xdist_group("connections")

COUNTS = ("imported", "replaced", "unchanged", "kept")


def counts(done: Done) -> dict[str, int]:
    """Return the numbers that are not 0."""
    assert done.code == 0, done.err
    return {key: done.json[key] for key in COUNTS if done.json[key]}


def run(tokenctl: Tokenctl, text: str | bytes, *words: str) -> Done:
    return tokenctl("import", "--from", "-", "--output", "json", *words, stdin=text)


class TestAPair:
    def test_is_stored_as_the_functions_read_it(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        facts = {
            "expiresAt": "2031-01-01T00:00:00Z",
            "refreshExpiresAt": "2032-01-01T00:00:00Z",
            "values": {"realm": 7},
        }
        text = line("acme/u1", accessToken="canary-access", policy="warm", **facts)
        assert counts(run(tokenctl, text)) == {"imported": 1}
        item = fleet.table.item("acme/u1")
        record = fleet.table.record("acme/u1")
        assert (record.state, record.policy, record.provider) == (State.ACTIVE, "warm", "oauth2")
        assert {key: item[key] for key in ("refreshExpiresAt", "values")} == {
            key: facts[key] for key in ("refreshExpiresAt", "values")
        }
        assert record.access == "canary-access"
        assert fleet.opened("acme/u1") == REFRESH.format("acme/u1")
        assert b"canary" not in b"".join(record.refresh or ())
        assert fleet.table.names_in("due", str(item["slot"])) == ["acme/u1"]

    def test_longer_than_4_kib_is_sealed_in_pieces(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        fleet.set(SEAL_ACCESS_TOKENS="true")
        access, refresh = "canary-" + "a" * 9_000, "canary-" + "ü" * 5_000
        counts(run(tokenctl, json.dumps({"connection": "a", "accessToken": access, "refreshToken": refresh})))
        record = fleet.table.record("a")
        assert (len(record.access or ()), len(record.refresh or ())) == (3, 3)
        assert fleet.opened("a") == refresh

    @pytest.mark.parametrize(
        "text",
        [
            '{"connection": "a", "refresh_token": "canary-r", "access_token": "canary-a", "expires_in": "3600"}',
            '\ufeff{"connection":"a","refreshToken":"canary-r","accessToken":"canary-a","expiresIn":3600}\r\n',
            '\n\n {"connection":"a","refreshToken":"canary-r","accessToken":"canary-a","expiresIn":3600.0} \n',
        ],
        ids=["the standard's names", "Windows", "blank lines"],
    )
    def test_may_be_written_in_other_ways(self, tokenctl: Tokenctl, fleet: BareFleet, text: str) -> None:
        assert counts(run(tokenctl, text)) == {"imported": 1}
        record = fleet.table.record("a")
        assert (record.access, fleet.opened("a")) == ("canary-a", "canary-r")
        assert record.expires_at
        assert record.refreshed_at
        assert (record.expires_at - record.refreshed_at).total_seconds() == 3600

    def test_keeps_no_keys_that_might_hide_tokens(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        done = run(tokenctl, line("a", id_token="canary-id", note="canary"))
        assert counts(done) == {"imported": 1}
        assert done.err == "A connection does not keep these keys, which are left out: (not a name), `note`.\n"
        assert "canary" not in str(fleet.table.item("a"))


GOOD = line("good/one")
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "no JSON": ("canary", "it is not JSON"),
    "no object": ('["canary"]', "it is not a JSON object"),
    "no UTF-8": (b'{"connection": "a", "refreshToken": "canary\xff"}', "it is not UTF-8 text"),
    "UTF-16": ('{"connection": "a"}'.encode("utf-16-le"), "it is not JSON"),
    "NUL": ('{"connection": "a", "refreshToken": "canary\x00"}', "it is not JSON"),
    "an escaped NUL": (line("a", refreshToken="canary\x00"), "`refreshToken` must be a non-empty string without"),
    "a lone surrogate": (line("a", refreshToken="canary\ud800"), "`refreshToken` must be a non-empty string without"),
    "NaN": ('{"connection": "a", "refreshToken": "canary", "expiresIn": NaN}', "it is not JSON"),
    "infinity": ('{"connection": "a", "refreshToken": "canary", "expiresIn": 1e999}', "it is not JSON"),
    "a number of many digits": (f'{{"connection": "a", "expiresIn": {"9" * 9_999}}}', "it is not JSON"),
    "deeply nested": ('{"a":' * 50_000, "it is not JSON"),
    "a huge line": (line("a", refreshToken="canary" * 500_000), "it is longer than 1,000,000 bytes"),
    "a key twice": ('{"connection": "a", "refreshToken": "canary", "refreshToken": "b"}', "has a key twice"),
    "a value's key twice": (line("a")[:-1] + ', "values": {"x": 1, "x": 2}}', "has a key twice"),
    "cut off": (line("a", accessToken="canary")[:-9], "it is not JSON"),
    "no name": ('{"refreshToken": "canary"}', "`connection` is missing"),
    "an e-mail address": (line("canary@acme.example"), "`connection` must be one or two parts with `/`"),
    "a name of three parts": (line("a/b/c"), "`connection` must be one or two parts"),
    "a name that is a number": ('{"connection": 7, "refreshToken": "canary"}', "`connection` must be one or two parts"),
    "a name with a line break": (line("a\n"), "`connection` must be one or two parts"),
    "no token": ('{"connection": "a"}', "it has neither `accessToken` nor `refreshToken`"),
    "an access token alone": ('{"connection": "a", "accessToken": "canary"}', "`refreshToken` is missing"),
    "a blank in a token": (line("a", accessToken="canary b"), "`accessToken` must be a string of at most"),
    "an empty token": (line("a", refreshToken=""), "`refreshToken` must be a non-empty string"),
    "a token that is a number": (line("a", refreshToken=12345), "`refreshToken` must be a non-empty string"),
    "two spellings": (line("a", refresh_token="canary"), "`refreshToken` and `refresh_token` differ"),
    "a misspelled key": (line("a", refresh_expires_at="2031-01-01"), "`refreshExpiresAt` is spelled otherwise in it"),
    "an epoch": (line("a", expiresAt=1_900_000_000), "`expiresAt` must be an ISO 8601 date and time"),
    "nested values": (line("a", values={"x": {"canary": 1}}), "`values` must be an object of texts and numbers"),
    "params of no profile": (line("a", params={"subdomain": "canary"}), "`params` has no effect"),
    "params that are numbers": (line("a", params={"subdomain": 1}), "`params` must be an object of texts"),
    "another provider": (line("a", provider="canary"), "`provider` must be one of oauth2, the providers of this fleet"),
    "a provider that is a number": (line("a", provider=1), "`provider` must be one of oauth2"),
    "another policy": (line("a", policy="canary"), "`policy` must be one of auto, warm, demand"),
    "a policy that is a list": (line("a", policy=["warm"]), "`policy` must be one of auto, warm, demand"),
    "another issuer's": (line("a", issuedBy={"issuer": "figma", "host": "api.figma.com"}), "the pair belongs to"),
    "a revoked grant": ('{"connection": "a", "revokedAt": "2026-01-01T00:00:00Z"}', "The grant was revoked"),
    "too large": (line("a", refreshToken="s" * 360_000), "the pair is larger than the 350,000 bytes"),
    "twice": (f"{line('a')}\n{line('a')}", "its connection is in line 3 as well"),
}


class TestRefusal:
    @pytest.mark.parametrize(("bad", "reason"), REFUSED.values(), ids=REFUSED)
    def test_says_the_line_and_imports_nothing(
        self, tokenctl: Tokenctl, fleet: BareFleet, bad: str | bytes, reason: str
    ) -> None:
        bad = bad.encode("utf-8", "surrogatepass") if isinstance(bad, str) else bad
        done = run(tokenctl, b"\n".join([GOOD.encode(), bad, line("good/two").encode()]))
        assert done.code == 252, done.err
        assert done.json["refused"][0]["place"] == "line 2"
        assert reason in done.json["refused"][0]["reason"]
        assert f"line 2: {done.json['refused'][0]['reason']}.\n" in done.err
        assert "so nothing was imported" in done.err
        assert fleet.names() == []

    def test_of_a_few_lets_the_others_in(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        text = "\n".join([line("a"), "canary", line("b"), line("c"), line("c")])
        done = run(tokenctl, text, "--skip-refused")
        assert counts(done) == {"imported": 2}
        assert [each["place"] for each in done.json["refused"]] == ["line 2", "line 4", "line 5"]
        assert fleet.names() == ["a", "b"]
        said = tokenctl("import", "--from", "-", "--skip-refused", stdin=text).out
        assert said == "0 imported, 0 replaced, 2 unchanged, 0 kept, 3 refused.\n"

    def test_of_all_leaves_nothing_to_skip_to(self, tokenctl: Tokenctl) -> None:
        done = run(tokenctl, "canary")
        assert (done.code, "--skip-refused" in done.err) == (252, False)

    @pytest.mark.parametrize("text", ["", "\n \r\n", "\ufeff"])
    def test_of_nothing_at_all(self, tokenctl: Tokenctl, text: str) -> None:
        done = run(tokenctl, text)
        assert (done.code, "The input holds no connections" in done.err) == (252, True)

    def test_of_a_closed_standard_input(
        self, tokenctl: Tokenctl, fleet: BareFleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert tokenctl
        for words in (("import", "--from", "-"), ("seed", "a")):
            with monkeypatch.context() as closed:
                closed.setattr("sys.stdin", None)
                assert main.run(["connections", *words, "--stage", fleet.stage]) == 252

    def test_of_a_file_does_not_show_its_name(self, tokenctl: Tokenctl, tmp_path: Path) -> None:
        for path in (tmp_path / "canary", tmp_path):
            done = tokenctl("import", "--from", str(path))
            assert (done.code, "cannot be read" in done.err) == (252, True)

    @pytest.mark.parametrize("words", [(), ("--from", "-", "--secrets-prefix", "x")])
    def test_of_a_wrong_command_line(self, tokenctl: Tokenctl, words: tuple[str, ...]) -> None:
        done = tokenctl("import", *words)
        assert (done.code, "Give one of --from, --secrets-prefix and --from-secret-of-stack." in done.err) == (
            252,
            True,
        )


class TestAgain:
    def test_leaves_everything_as_it_is(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        text = lines(["a", "b"], expiresIn=3600, accessToken="canary-access")
        assert counts(run(tokenctl, text)) == {"imported": 2}
        before = fleet.table.item("a")
        assert counts(run(tokenctl, f"{text}\n{line('c')}", "--replace")) == {"imported": 1, "unchanged": 2}
        assert fleet.table.item("a") == before

    def test_never_overwrites_a_later_pair_unasked(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        text = lines(["a", "b"])
        run(tokenctl, text)
        refreshed = run(tokenctl, line("a", refreshToken="canary-later"), "--replace")
        assert counts(refreshed) == {"replaced": 1}
        done = run(tokenctl, text)
        assert counts(done) == {"unchanged": 1, "kept": 1}
        assert "--replace overwrites them" in done.err
        assert fleet.opened("a") == "canary-later"
        assert counts(run(tokenctl, text, "--replace")) == {"replaced": 1, "unchanged": 1}
        assert fleet.opened("a") == REFRESH.format("a")

    def test_changes_a_policy_only_if_told_to(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        run(tokenctl, line("a"))
        assert counts(run(tokenctl, line("a", policy="demand"))) == {"kept": 1}
        assert counts(run(tokenctl, line("a", policy="demand"), "--replace")) == {"replaced": 1}
        assert fleet.table.record("a").policy == "demand"

    def test_in_a_dry_run_changes_nothing(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        run(tokenctl, line("a"))
        done = run(tokenctl, lines(["a", "b"]), "--dry-run")
        assert (counts(done), fleet.names()) == ({"imported": 1, "unchanged": 1}, ["a"])
        done = tokenctl("import", "--from", "-", "--dry-run", stdin=line("b"))
        assert done.out == "Would be: 1 imported, 0 replaced, 0 unchanged, 0 kept.\n"


class TestSecrets:
    def test_are_read_by_their_prefix(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        client, prefix = fleet.cloud.client("secretsmanager"), f"{fleet.stage}/"
        client.create_secret(Name=f"{prefix}acme/u1", SecretString='{"refreshToken":"canary-1","expiresIn":60}')
        client.create_secret(Name=f"{prefix}b", SecretString='\ufeff{"refresh_token":"canary-2","policy":"demand"}')
        client.create_secret(Name=f"{prefix}binary", SecretBinary=b"canary")
        client.create_secret(Name=f"{prefix}broken", SecretString="canary")
        client.create_secret(Name=f"{prefix}a/b/c", SecretString='{"refreshToken":"canary-3"}')
        client.create_secret(Name=f"{prefix}empty")
        client.create_secret(Name=f"{prefix}other", SecretString='{"connection":"b","refreshToken":"canary-4"}')
        client.create_secret(Name=f"{fleet.stage}-not-mine", SecretString='{"refreshToken":"canary-5"}')
        done = tokenctl("import", "--secrets-prefix", prefix, "--skip-refused", "--output", "json")
        assert counts(done) == {"imported": 2}
        assert {each["place"].removeprefix(f"secret {prefix}"): each["reason"] for each in done.json["refused"]} == {
            "binary": "it is binary",
            "broken": "it is not JSON",
            "a/b/c": f"`connection` {NAME_RULE}",
            "empty": "it has no value, or is gone",
            "other": "its `connection` is another one than its name says",
        }
        assert (fleet.names(), fleet.opened("acme/u1")) == (["acme/u1", "b"], "canary-1")
        assert fleet.table.record("b").policy == "demand"

    @pytest.mark.parametrize(
        ("prefix", "message"), [("", "--secrets-prefix is empty."), ("nothing/", "The input holds no connections")]
    )
    def test_of_no_prefix_are_refused(self, tokenctl: Tokenctl, prefix: str, message: str) -> None:
        done = tokenctl("import", "--secrets-prefix", prefix)
        assert (done.code, message in done.err) == (252, True)

    def test_that_are_denied_stop_the_import(self, tokenctl: Tokenctl, fleet: BareFleet, proxy: FaultProxy) -> None:
        name = f"{fleet.stage}-denied/a"
        fleet.cloud.client("secretsmanager").create_secret(Name=name, SecretString='{"refreshToken":"canary"}')
        proxy.strike("GetSecretValue", Strike(status=400, code="AccessDeniedException"))
        done = tokenctl("import", "--secrets-prefix", name[:-1])
        assert (done.code, "calling the GetSecretValue operation" in done.err, fleet.names()) == (254, True, [])


SHOPIFY = "shopify-client-credentials"


class TestProviders:
    def test_differ_by_line(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        fleet.set({"oauth2": ACME, "zendesk": {"ISSUER": "zendesk"}, "linear": {"ISSUER": "linear"}})
        wants = {"provider": "zendesk", "params": {"subdomain": "acme"}}
        text = "\n".join([line("a", provider="oauth2"), line("b", **wants), line("c")])
        assert counts(run(tokenctl, text, "--provider", "linear")) == {"imported": 3}
        assert [fleet.table.record(name).provider for name in "abc"] == ["oauth2", "zendesk", "linear"]
        assert fleet.table.record("b").params == {"subdomain": "acme"}
        assert fleet.table.item("b")["issuedBy"] == {"issuer": "zendesk", "host": "acme.zendesk.com"}
        done = run(tokenctl, "\n".join([line("d"), line("e", provider="zendesk", params={"subdomain": "x/y#"})]))
        reasons = [each["reason"] for each in done.json["refused"]]
        assert "`provider` must be one of linear, oauth2, zendesk" in reasons[0]
        assert reasons[1].startswith("`params` ")

    def test_may_be_amplify(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        fleet.set({"figma": {"ISSUER": "amplify"}})
        assert counts(run(tokenctl, line("a", clientId="canary"))) == {"imported": 1}
        assert fleet.table.item("a")["issuedBy"] == AMPLIFY_ISSUED_BY.to_document()
        done = run(tokenctl, line("b", params={"subdomain": "acme"}))
        assert done.json["refused"][0]["reason"].startswith("`params` has no effect")

    def test_whose_app_is_enough_need_no_token(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        fleet.set({SHOPIFY: {"ISSUER": SHOPIFY, "ISSUER_GRANT": "client_credentials"}})
        assert counts(run(tokenctl, json.dumps({"connection": "a", "params": {"shop": "acme"}}))) == {"imported": 1}
        record = fleet.table.record("a")
        assert (record.access, record.refresh, record.state) == (None, None, State.ACTIVE)
        done = run(tokenctl, line("b", params={"shop": "acme"}))
        reason = "its `refreshToken` is of another grant than this stack's, which has none"
        assert done.json["refused"][0]["reason"] == reason

    def test_must_be_one_of_the_fleet(self, tokenctl: Tokenctl) -> None:
        for words in (("import", "--from", "-"), ("seed", "a")):
            done = tokenctl(*words, "--provider", "canary", stdin=line("a"))
            assert (done.code, done.err) == (252, "tokenctl: --provider must be one of the fleet's: oauth2.\n")

    def test_may_be_called_figma_if_alone(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        assert counts(run(tokenctl, line("a", provider="figma"))) == {"imported": 1}
        assert fleet.table.record("a").provider == "oauth2"
        assert tokenctl("list", "--provider", "figma", "--query", "[].connection").json == ["a"]


class TestDueTimes:
    def test_of_what_is_due_at_once_are_spread(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        fleet.set(REFRESHES_PER_SECOND="1")
        counts(run(tokenctl, lines(map(str, range(60)))))
        due = [fleet.table.record(str(each)).due_at or 0 for each in range(60)]
        assert 30 < max(due) - min(due) < 75

    def test_of_fresh_tokens_lie_before_their_expiry(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        counts(run(tokenctl, lines(map(str, range(20)), accessToken="canary", expiresIn=30 * DAY)))
        left = [(record.expires_at, record.due_at) for record in map(fleet.table.record, map(str, range(20)))]
        assert all(expiry and due and 3 * DAY < expiry.timestamp() - due <= 7 * DAY for expiry, due in left)
        assert len({due for _, due in left}) > 10

    def test_of_a_grant_that_ends_soon_is_now(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        """So the worker tells EventBridge at once."""
        now = datetime.now(UTC)
        days = {"grantedAt": -300, "refreshExpiresAt": 5, "expiresAt": 30}
        times = {key: iso_utc(now + timedelta(days=number)) for key, number in days.items()}
        counts(run(tokenctl, line("a", accessToken="canary", **times)))
        assert 0 <= (fleet.table.record("a").due_at or 0) - now.timestamp() < 60


class TestManyLines:
    def test_with_three_bad_ones_are_told(self, tokenctl: Tokenctl, fleet: BareFleet) -> None:
        many = [line(f"t{number % 7}/{number}") for number in range(10_000)]
        for number in (0, 5_000, 9_999):
            many[number] = line("canary!")
        done = run(tokenctl, "\n".join(many))
        assert [each["place"] for each in done.json["refused"]] == ["line 1", "line 5001", "line 10000"]
        assert "3 of 10,000 connections are refused, so nothing was imported." in done.err
        assert "--skip-refused to import the other 9,997." in done.err
        assert fleet.names() == []

    @pytest.mark.parametrize("in_memory", [1_000_000, 1_000], ids=["in memory", "in a file"])
    def test_may_come_from_a_pipe(
        self, tokenctl: Tokenctl, fleet: BareFleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, in_memory: int
    ) -> None:
        monkeypatch.setattr("tokenctl.connections.sources.MAX_IN_MEMORY", in_memory)
        pipe, names = tmp_path / "pipe", [f"t/{number}" for number in range(40)]
        os.mkfifo(pipe)
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(pipe.write_text, lines(names))
            done = tokenctl("import", "--from", str(pipe), "--output", "json")
            writing.result()
        assert (counts(done), fleet.names()) == ({"imported": 40}, sorted(names))

    def test_are_not_held_while_they_are_checked(self, tmp_path: Path) -> None:
        file, each = tmp_path / "many.jsonl", 4_000
        file.write_text(lines(map(str, range(2_000)), accessToken="a" * each))
        entries = Entries(Issuers({"linear": provider("linear")}))
        with open_lines(str(file)) as source:
            tracemalloc.start()
            checked = check(source, entries, lambda _: None)
            assert sum(1 for _ in checked.entries()) == checked.count == 2_000
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 2_000 * each / 4


class TestEvents:
    def test_tell_of_each_connection(self, tokenctl: Tokenctl, fleet: BareFleet, proxy: FaultProxy) -> None:
        fleet.set(EVENT_BUS="default")
        counts(run(tokenctl, lines(map(str, range(25)))))
        assert proxy.calls.count("PutEvents") == 3
        counts(run(tokenctl, lines(map(str, range(25)))))
        assert proxy.calls.count("PutEvents") == 3

    def test_may_be_denied(self, tokenctl: Tokenctl, fleet: BareFleet, proxy: FaultProxy) -> None:
        fleet.set(EVENT_BUS="default")
        proxy.strike("PutEvents", Strike(status=400, code="AccessDeniedException"))
        done = run(tokenctl, lines(map(str, range(25))))
        assert counts(done) == {"imported": 25}
        assert done.err.startswith("25 changes of state could not be told to EventBridge. An error occurred")
