"""The providers of a fleet: their apps' secrets, and what the functions get to know about them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from refresh_token.environment import GRANT_ABSOLUTE, GRANT_IDLE, ISSUER, REFRESH_MARGIN
from refresh_token.fleet.providers import ROTATES
from refresh_token.oauth.variables import APP_SECRET_ARN
from token_refresher.constructs.app_secret import AppSecret
from token_refresher.constructs.refresh_function import RefreshFunction
from token_refresher.issuers import Issuer


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One provider of a fleet."""

    issuer: Issuer
    app_secret: AppSecret | None
    timing: Mapping[str, Any]
    """`refresh_margin_seconds`, `grant_idle_days` and `grant_absolute_days`, where they differ from the issuer's."""

    @property
    def name(self) -> str:
        """What connections call it."""
        return self.issuer.provider

    def row(self) -> dict[str, str | bool]:
        """Return the variables of this provider's issuer, and whether it may replace the refresh token."""
        numbers = {
            REFRESH_MARGIN: self.timing.get("refresh_margin_seconds", self.issuer.refresh_margin),
            GRANT_IDLE: self.timing.get("grant_idle_days", self.issuer.grant_idle_days),
            GRANT_ABSOLUTE: self.timing.get("grant_absolute_days", self.issuer.grant_absolute_days),
        }
        return {
            ISSUER: self.issuer.name,
            **self.issuer.variables,
            **{name: str(number) for name, number in numbers.items() if number},
            **({APP_SECRET_ARN: self.app_secret.arn} if self.app_secret else {}),
            **({} if self.issuer.replaces_refresh_tokens else {ROTATES: False}),
        }


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What a fleet has from the refresher that it stands beside."""

    issuer: Issuer
    app_secret: AppSecret | None
    timing: Mapping[str, Any]
    """`refresh_margin_seconds`, `grant_idle_days` and `grant_absolute_days` of the refresher."""
    app_key: kms.IKey | None
    """The key of the apps' secrets."""
    topic: sns.ITopic | None
    layers: dict[str, lambda_.LayerVersion]
    refresh: RefreshFunction


def rows_of(
    scope: Construct,
    issuers: Sequence[Issuer],
    beside: Beside | None,
    *,
    existing: Mapping[str, secretsmanager.ISecret],
    key: kms.IKey | None,
) -> list[Provider]:
    """Return the providers.

    The refresher's own issuer brings its app's secret; each other one gets a new secret if none is `existing`.
    """
    rows = []
    for issuer in issuers:
        if beside and issuer == beside.issuer:
            rows.append(Provider(issuer=issuer, app_secret=beside.app_secret, timing=beside.timing))
            continue
        key = beside.app_key if beside else key
        secret = None
        if issuer.has_app:
            theirs, name = existing.get(issuer.provider), f"AppSecret-{issuer.provider}"
            secret = AppSecret(scope, name, existing=theirs, key=key, prop="app_secrets")
        rows.append(Provider(issuer=issuer, app_secret=secret, timing={}))
    return rows


def to_variable(providers: Sequence[Provider]) -> str:
    """Return the value of the variable with all providers."""
    return json.dumps({each.name: each.row() for each in providers}, separators=(",", ":"), ensure_ascii=False)
