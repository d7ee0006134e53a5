"""Checks of the table with the connections, its key, and the app of each provider."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from refresh_token.fleet.signals import FleetAlarm
from refresh_token.fleet.table import DUE_INDEX, DUE_KEYS, TROUBLE_INDEX, TROUBLE_KEYS
from tokenctl.checks.check import Finding, Level, Subject
from tokenctl.checks.function import TABLE_FIXES
from tokenctl.checks.stack import check_app_secret
from tokenctl.checks.token import KEY_FIXES
from tokenctl.connections.deployed_provider import provider_of
from tokenctl.connections.fleet_counts import count_abandoned
from tokenctl.connections.fleet_troubles import Trouble, brakes_in, nobody_is_served, waiting_in
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.runbook import entry_of

_WAIT: Final = "wait until it is ACTIVE"
_INDEXES: Final = {
    DUE_INDEX: (DUE_KEYS, "due connections cannot be found, and nothing is refreshed before a consumer asks"),
    TROUBLE_INDEX: (TROUBLE_KEYS, "nobody can count or list the connections that are not active"),
}
"""The keys of the table's indexes, and what follows if one is missing."""


def check_table(subject: Subject) -> Finding:
    """Check that the table exists and can be used."""
    from botocore.exceptions import ClientError

    name = subject.fleet.table
    client = subject.target.aws.client("dynamodb")
    with translate_aws_errors():
        try:
            table = client.describe_table(TableName=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            fix = "restore it under this name: see `Restore the connections` in docs/runbook.md"
            return Finding(Level.FAIL, f"{name} is gone, and with it every connection", fix)
    if table["TableStatus"] not in {"ACTIVE", "UPDATING"}:
        return Finding(Level.FAIL, f"{name} is {table['TableStatus']}", TABLE_FIXES.get(table["TableStatus"], _WAIT))
    return Finding(Level.OK, f"{name} is {table['TableStatus']}")


def check_indexes(subject: Subject) -> Finding:
    """Check that the table has its indexes, and keeps what is in it."""
    name, client = subject.fleet.table, subject.target.aws.client("dynamodb")
    with translate_aws_errors():
        table = client.describe_table(TableName=name)["Table"]
        expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if expiry["TimeToLiveStatus"] in {"ENABLED", "ENABLING"}:
        text = f"DynamoDB deletes connections of {name} at the time in their attribute `{expiry['AttributeName']}`"
        fix = f"{subject.restore}; for those that are gone, see `Restore the connections` in docs/runbook.md"
        return Finding(Level.FAIL, text, fix)
    found = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", ())}
    for index, (keys, follows) in _INDEXES.items():
        if _keys(found.get(index, {})) != [*keys]:
            text = f"{name} has no index `{index}` as the stack deploys it: {follows}"
            return Finding(Level.FAIL, text, subject.restore)
        if (status := found[index].get("IndexStatus", "ACTIVE")) not in {"ACTIVE", "UPDATING"}:
            return Finding(Level.FAIL, f"the index `{index}` of {name} is {status}", _WAIT)
    return Finding(Level.OK, " and ".join(f"`{index}`" for index in _INDEXES) + " are there")


def _keys(index: Mapping[str, Any]) -> list[str]:
    return [key["AttributeName"] for key in index.get("KeySchema", ())]


def check_key(subject: Subject) -> Finding:
    """Check that the key that seals refresh tokens can be used."""
    key = subject.fleet.key_arn
    client = subject.target.aws.client("kms")
    with translate_aws_errors():
        try:
            state = client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        except client.exceptions.NotFoundException:
            text = "the key of the connections is gone: nothing can open their refresh tokens again"
            return Finding(Level.FAIL, text, f"see {entry_of(FleetAlarm.FAULTS)}")
    if state != "Enabled":
        fix = KEY_FIXES.get(state, f"see {entry_of(FleetAlarm.FAULTS)}")
        return Finding(Level.FAIL, f"the key of the connections is {state}", fix.format(key=f"--key-id {key}"))
    return Finding(Level.OK, "the key of the connections is enabled")


def check_app_secrets(subject: Subject) -> Finding:
    """Check that the app of each provider has its credentials, which the functions can use."""
    found = {name: _app_secret(subject, name) for name in subject.fleet.settings.providers}
    worst = max(found.values(), key=lambda finding: list(Level).index(finding.level))
    if worst.level is Level.OK:
        return Finding(Level.OK, "; ".join(f"{name}: {finding.text}" for name, finding in found.items()))
    bad = {name: finding for name, finding in found.items() if finding.level is not Level.OK}
    text = "; ".join(f"{name}: {finding.text.rstrip('.')}" for name, finding in bad.items())
    return replace(
        worst, text=text, fix="; ".join(dict.fromkeys(finding.fix for finding in bad.values() if finding.fix))
    )


def _app_secret(subject: Subject, provider: str) -> Finding:
    deployed = provider_of(subject.fleet, provider)
    return check_app_secret(replace(subject, target=deployed.target, deployed=deployed))


def check_connections(subject: Subject) -> Finding:
    """Check that the connections are refreshed in time, and that few of them wait for a person."""
    report = subject.fleet_report
    counted = ", ".join(f"{count} {state}" for state, count in report["byState"].items() if count) or "none yet"
    if nobody_is_served(report):
        return Finding(Level.FAIL, f"{counted}: each of them waits for a person", f"see {entry_of(FleetAlarm.REFUSED)}")
    return _trouble(waiting_in(report)) or _abandoned(subject) or Finding(Level.OK, counted)


def _abandoned(subject: Subject) -> Finding | None:
    """Return a finding about connections whose provider somebody has taken out of the fleet."""
    found = count_abandoned(subject.fleet)
    if not found:
        return None
    counted = ", ".join(f"{count} of {provider}" for provider, count in sorted(found.items()))
    text = f"the fleet does not have the providers of some connections ({counted}): nothing refreshes these"
    lists = f"`tokenctl connections list {subject.target.option} --provider {min(found)}`"
    return Finding(Level.WARN, text, f"{lists} names them; deploy with that provider again, or remove them")


def check_brake(subject: Subject) -> Finding:
    """Check that no provider's refreshes are held back because most of them fail."""
    return _trouble(brakes_in(subject.fleet_report)) or Finding(Level.OK, "no provider is braked")


def _trouble(found: Iterable[Trouble]) -> Finding | None:
    troubles = list(found)
    if not troubles:
        return None
    entries = dict.fromkeys(trouble.entry for trouble in troubles)
    return Finding(Level.WARN, "; ".join(trouble.what for trouble in troubles), f"see {', '.join(entries)}")
