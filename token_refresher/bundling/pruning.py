"""Deletes the files of installed packages that a function never loads."""

import gzip
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

# No package reads these at run time.
_ANYWHERE = ("**/__pycache__", "**/*.pyi", "**/py.typed", "**/tests", "bin")

# The licences stay because they require it. METADATA stays because Amazon Inspector reads there which packages a
# function contains, in which versions.
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
    """What to keep and what to delete of the packages that pip installed.

    Of botocore only the data of `botocore_services` stays. `dropped` are glob patterns from the root.
    """

    botocore_services: tuple[str, ...]
    kept_operations: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Services of which only these operations stay, with what they need of the model."""
    dropped: tuple[str, ...] = ()


# Our code does not call STS. botocore does, when credentials come from a role.
FUNCTION_RULES = PruningRules(
    botocore_services=("amplifyuibuilder", "dynamodb", "events", "kms", "secretsmanager", "sqs", "sts"),
    kept_operations=(
        ("dynamodb", ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")),
        ("events", ("PutEvents",)),
        ("kms", ("Decrypt", "Encrypt", "Sign")),
        ("sqs", ("GetQueueAttributes", "SendMessageBatch")),
    ),
    dropped=(*_POWERTOOLS, "boto3/examples", "botocore/data/*/*/examples-1.json"),
)


def prune(folder: Path, rules: PruningRules) -> None:
    """Delete from `folder` what the function never loads, by `rules` and for every package."""
    for pattern in (*_ANYWHERE, *rules.dropped):
        for path in sorted(folder.glob(pattern)):
            _delete(path)
    for package in ("botocore", "boto3"):
        # The files next to the services' folders (endpoints, partitions, retries, defaults) serve every service.
        for data in (folder / package / "data").glob("*/"):
            if data.name not in rules.botocore_services:
                _delete(data)
    for service, operations in rules.kept_operations:
        for file in (folder / "botocore" / "data" / service).glob("*/service-2.json.gz"):
            _prune_model(file, operations)
    _prune_endpoints(folder / "botocore" / "data" / "endpoints.json", rules.botocore_services)
    for path in folder.glob("*.dist-info/*"):
        if not any(path.match(kept) for kept in _KEPT_OF_DIST_INFO):
            _delete(path)


def _prune_model(file: Path, operations: tuple[str, ...]) -> None:
    """Write the model of a service again, with a few operations, their shapes and no documentation.

    The file is not compressed, because the package is; botocore reads both forms.
    """
    model = json.loads(gzip.decompress(file.read_bytes()))
    kept = {name: _undocumented(model["operations"][name]) for name in operations}
    shapes: dict[str, object] = {}
    found = _shapes_in(kept)
    while new := sorted(found - shapes.keys()):
        shapes |= {name: _undocumented(model["shapes"][name]) for name in new}
        found = _shapes_in(shapes)
    pruned = {**model, "operations": kept, "shapes": shapes, "documentation": ""}
    file.with_suffix("").write_text(json.dumps(pruned, separators=(",", ":")), encoding="utf-8")
    file.unlink()


def _undocumented(tree: object) -> object:
    if isinstance(tree, dict):
        return {
            key: _undocumented(value)
            for key, value in tree.items()
            if not isinstance(value, str) or key != "documentation"
        }
    return [_undocumented(item) for item in tree] if isinstance(tree, list) else tree


def _shapes_in(tree: object) -> set[str]:
    """Return the names of the shapes that a part of a model mentions."""
    if isinstance(tree, dict):
        own = {tree["shape"]} if isinstance(tree.get("shape"), str) else set()
        return own.union(*(_shapes_in(value) for value in tree.values()))
    return set().union(*(_shapes_in(item) for item in tree)) if isinstance(tree, list) else set()


def _prune_endpoints(endpoints: Path, services: tuple[str, ...]) -> None:
    """Keep all partitions and regions, but only the endpoints of the services in use.

    botocore reads this file for the first client. With 400 services it has 1.2 MB and costs each cold start 33 ms.
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
