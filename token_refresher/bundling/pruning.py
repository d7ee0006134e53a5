"""What installed packages bring that a function never loads."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

# Nothing at run time reads these, whatever the package.
_ANYWHERE = ("**/__pycache__", "**/*.pyi", "**/py.typed", "**/tests", "bin")

# The licences and METADATA stay: the first because they ask for it, the second because it is where Amazon Inspector
# reads which packages, in which versions, a function carries.
_KEPT_OF_DIST_INFO = ("METADATA", "LICENSE*", "LICENCE*", "NOTICE*", "licenses")

# Powertools features that neither Logger, Metrics nor Idempotency imports.
_POWERTOOLS = tuple(
    f"aws_lambda_powertools/{name}"
    for name in (
        "event_handler",
        "metrics/provider/datadog",
        "utilities/auth_alpha",
        "utilities/batch",
        "utilities/circuit_breaker",
        "utilities/data_classes",
        "utilities/data_masking",
        "utilities/feature_flags",
        "utilities/kafka",
        "utilities/metadata",
        "utilities/parameters",
        "utilities/parser",
        "utilities/streaming",
        "utilities/validation",
    )
)


@dataclass(frozen=True, kw_only=True)
class PruningRules:
    """What to leave of what pip installed.

    `botocore_services` are the services that a client is made for; `dropped` are glob patterns from the root.
    """

    botocore_services: tuple[str, ...]
    dropped: tuple[str, ...] = ()


# STS is not called by the code, but by botocore when credentials come from a role.
FUNCTION_RULES = PruningRules(
    botocore_services=("amplifyuibuilder", "dynamodb", "secretsmanager", "sts"),
    dropped=(*_POWERTOOLS, "boto3/examples", "botocore/data/*/*/examples-1.json"),
)


def prune(folder: Path, rules: PruningRules) -> None:
    """Delete from `folder` what `rules` and the run time have no use for."""
    for pattern in (*_ANYWHERE, *rules.dropped):
        for path in sorted(folder.glob(pattern)):
            _delete(path)
    for package in ("botocore", "boto3"):
        # The files beside the services' folders (endpoints, partitions, retries, defaults) serve every service.
        for service in (folder / package / "data").glob("*/"):
            if service.name not in rules.botocore_services:
                _delete(service)
    _prune_endpoints(folder / "botocore" / "data" / "endpoints.json", rules.botocore_services)
    for path in folder.glob("*.dist-info/*"):
        if not any(path.match(kept) for kept in _KEPT_OF_DIST_INFO):
            _delete(path)


def _prune_endpoints(endpoints: Path, services: tuple[str, ...]) -> None:
    """Leave all partitions and regions, and of the services' endpoints the ones in use.

    botocore reads this file for the first client; it has 1.2 MB for 400 services, which takes 33 ms of each cold start.
    """
    if not endpoints.exists():
        return
    document = json.loads(endpoints.read_text(encoding="utf-8"))
    for partition in document["partitions"]:
        known = partition["services"]
        partition["services"] = {name: known[name] for name in services if name in known}
    endpoints.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
