"""Which providers a fleet can have. The settings of a stage are checked without the CDK, so this does not import it."""

from collections.abc import Iterable, Sequence

from token_refresher.issuers import Issuer


def faults_of(issuers: Sequence[Issuer]) -> list[str]:
    """Return a line for each issuer that cannot be in a fleet, and for each provider that is there twice."""
    if wrong := [each for each in issuers if not isinstance(each, Issuer)]:
        return [f"providers={each}: must be an Issuer, such as Issuer.figma()" for each in wrong]
    names = [issuer.provider for issuer in issuers]
    faults = [
        f"providers={name}: is there twice. Name each provider once"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    faults += [f"providers={issuer.name}: {fault}" for issuer in issuers if (fault := _unfit(issuer))]
    return faults if issuers else ["providers=: must name at least one provider"]


def app_secret_faults(names: Iterable[str], issuers: Sequence[Issuer], own: Issuer | None) -> list[str]:
    """Return a line for each provider that takes no secret for its app; `own` is the issuer of a refresher beside."""
    apps = [issuer.provider for issuer in issuers if issuer.has_app and issuer != own]
    rule = f"must be a provider whose app needs a secret: {', '.join(apps) or 'there is none'}"
    theirs = "is the refresher's own issuer. Give the refresher the prop app_secret"
    return [
        f"app_secrets={name}: {theirs if own and name == own.provider else rule}" for name in names if name not in apps
    ]


def _unfit(issuer: Issuer) -> str | None:
    alone = f"Deploy a stack of its own for each token, with issuer={issuer.name} and without connections"
    if not issuer.refreshes:
        return f"has tokens that a person renews, so a fleet cannot keep them alive. {alone}"
    if issuer.signs_with:
        return f"needs a KMS key that signs for its only app, and a fleet has none. {alone}"
    return None
