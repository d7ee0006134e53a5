"""Which module may import which: one way only, and AWS clients only at the edge."""

import ast
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

PACKAGE = ROOT / "lambda_src" / "refresh_token"

PURE = sorted(
    {"errors", "environment", "events", "answers", "settings", "signals"}
    | {f"{folder}/{file.stem}" for folder in ("core", "oauth", "fleet") for file in (PACKAGE / folder).glob("*.py")}
)

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "signals": set(),
    "core": {"errors"},
    "environment": {"errors"},
    "settings": {"core", "environment"},
    "events": {"core", "errors"},
    "answers": {"core"},
    "oauth": {"core", "environment", "errors"},
    "fleet": {"core", "environment", "errors", "events", "oauth", "signals"},
    "adapters": {"core", "errors", "fleet", "oauth", "signals"},
    "issuers": {"adapters", "core", "environment", "errors", "oauth"},
    "fleet_parts": {"adapters", "core", "environment", "fleet", "issuers"},
    "connections_handler": {"adapters", "answers", "core", "errors", "fleet", "fleet_parts"},
    "worker_handler": {"adapters", "core", "errors", "fleet", "fleet_parts"},
    "dispatcher_handler": {"adapters", "fleet"},
    "beside_fleet": {"adapters", "answers", "core", "errors", "events", "fleet", "fleet_parts"},
    "handler": {
        *("adapters", "answers", "core", "environment", "errors", "events", "issuers", "beside_fleet", "settings"),
    },
}
"""The modules that each module (or folder) of the function may import. Add a new one on purpose."""

CORE_ORDER = (
    *(
        "text",
        "windows",
        "claims",
        "failure_record",
        "successors",
        "time_budget",
        "values",
        "grants",
        "grant",
        "issued_token",
    ),
    *("issued_by", "token_pair", "secret_keys", "secret_format", "spending", "grant_life", "refresh_policy"),
    *("unreadable_pair", "ports", "results", "connections", "process_memory", "failed_call", "claimed_refresh"),
    *("refresh_once", "bare_operation", "static_token", "refresher"),
)
"""Inside the core, a module may import those before it."""


def imports(file: Path) -> set[str]:
    """Return every module that a file imports, anywhere in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found.add(node.module or "")
    return found


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("name", PURE)
def test_the_core_is_pure(name: str) -> None:
    roots = {module.partition(".")[0] for module in imports(PACKAGE / f"{name}.py")}
    io = {"boto3", "botocore", "aws_lambda_powertools", "os", "time", "random", "uuid", "urllib3", "logging", "socket"}
    assert not roots & io
    calls = {
        node.attr
        for node in ast.walk(ast.parse((PACKAGE / f"{name}.py").read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "datetime"
    }
    assert not calls & {"now", "utcnow", "today"}


def test_only_the_edge_uses_botocore() -> None:
    users = {
        file.relative_to(PACKAGE).parts[0]
        for file in files("lambda_src/refresh_token")
        if {module.partition(".")[0] for module in imports(file)} & {"boto3", "botocore"}
    }
    assert users == {"issuers", "adapters"}


@pytest.mark.parametrize("folder", ["tokenctl", "token_refresher", "infra", "local"])
def test_the_operators_machine_runs_only_pure_parts(folder: str) -> None:
    found = files(folder)
    assert found
    for file in found:
        own = {module.split(".")[1] for module in imports(file) if module.startswith("refresh_token.")}
        assert own <= {name.partition("/")[0] for name in PURE}, file


PACKAGES: dict[str, set[str]] = {
    "refresh_token": set(),
    "token_client": set(),
    "token_refresher": {"refresh_token"},
    "tokenctl": {"refresh_token", "token_client"},
}
"""The other packages of this repository that each package of the wheel may import."""

OURS = {*PACKAGES, "infra", "local", "bench", "tests", "app"}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_imports_nothing_outside_it(package: str) -> None:
    folder = package if (ROOT / package).is_dir() else f"lambda_src/{package}"
    found = {module.partition(".")[0] for file in files(folder) for module in imports(file)}
    assert found & OURS - {package} <= PACKAGES[package]


def test_our_stages_need_no_extra_of_tokenctl() -> None:
    found = {module.partition(".")[0] for file in [*files("infra"), ROOT / "app.py"] for module in imports(file)}
    assert "token_refresher" in found
    assert "tokenctl" not in found


CLI_ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "streams": {"errors"},
    "stack": {"errors"},
    "aws_style": {"errors", "stack", "streams"},
    "drift": {"errors", "stack"},
    "checks": {"connections", "drift", "errors", "sign_in", "stack"},
    "terminal": {"errors", "stack"},
    "sign_in": {"errors", "stack", "terminal"},
    "profiles": {"errors", "sign_in", "stack"},
    "connections": {"errors", "sign_in", "stack", "terminal"},
    "commands": {"aws_style", "checks", "connections", "drift", "errors", "profiles", "sign_in", "stack", "terminal"},
    "main": {"aws_style", "errors", "streams"},  # it imports a command by name when the command is used
    "__main__": {"main"},
}
"""The rooms that each room of tokenctl may import."""


CLIENT = ROOT / "lambda_src" / "token_client"
CLIENT_ORDER = (
    *("errors", "tokens", "source", "answers", "function_name", "invoke_errors", "invoker", "kept_token"),
    *("kept_failure", "calls", "memory", "keeper", "connection_name", "forks", "pool", "client", "clients", "auth"),
    "__init__",
)
"""The same for the client, which is shipped by itself. It uses nothing of the function, and only boto3 of AWS."""

STANDARD = {*sys.stdlib_module_names}
OUTSIDE = {
    "function_name.py": {"botocore"},
    "invoke_errors.py": {"botocore"},
    "invoker.py": {"boto3", "botocore", "mypy_boto3_lambda"},
    "client.py": {"boto3"},
    "clients.py": {"boto3"},
    "auth/requests.py": {"requests"},
    "auth/async_questions.py": {"anyio"},
    "auth/httpx.py": {"httpx"},
    "auth/httpx_messages.py": {"httpx"},
    "auth/urllib3.py": {"urllib3"},
}


def in_order(names: Sequence[str]) -> dict[str, set[str]]:
    return {name: set(names[:place]) for place, name in enumerate(names)}


ROOMS = {
    "lambda_src/refresh_token": ALLOWED,
    "lambda_src/refresh_token/core": in_order(CORE_ORDER),
    "lambda_src/token_client": in_order(CLIENT_ORDER),
    "tokenctl": CLI_ROOMS,
}


@pytest.mark.parametrize("folder", ROOMS)
def test_the_rooms_import_one_way(folder: str) -> None:
    package = folder.removeprefix("lambda_src/").replace("/", ".") + "."
    found: dict[str, set[str]] = {}
    for file in files(folder):
        room = file.relative_to(ROOT / folder).parts[0].removesuffix(".py")
        own = {one.removeprefix(package).split(".")[0] for one in imports(file) if one.startswith(package)}
        found.setdefault(room, set()).update(own - {room})
    allowed = ROOMS[folder]
    assert found.keys() - {"__init__"} == allowed.keys() - {"__init__"}, "each room has a rule"
    assert {room: own - allowed.get(room, set()) for room, own in found.items() if own - allowed.get(room, set())} == {}


@pytest.mark.parametrize("file", files("lambda_src/token_client"), ids=lambda file: str(file.relative_to(CLIENT)))
def test_the_client_uses_only_its_libraries(file: Path) -> None:
    roots = {module.partition(".")[0] for module in imports(file)}
    assert roots - STANDARD - {"token_client"} == OUTSIDE.get(file.relative_to(CLIENT).as_posix(), set())


@pytest.mark.parametrize("file", files("tests"), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_test_shares_through_support_alone(file: Path) -> None:
    shared = [module for module in imports(file) if re.match(r"tests\.(.+\.)?(conftest|test_\w+)$", module)]
    assert shared == [], "what two modules need is in tests/support"
    names = re.findall(r"def test_(\w+)\(", file.read_text())
    assert [name for name in names if name.count("_") > 7] == [], "a name has at most eight words"


def test_mypy_reads_every_construct_that_is_used() -> None:
    """A skipped module is `Any` to mypy, so it finds no errors in the use of that module."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    (read,) = (each["module"] for each in overrides if each.get("follow_imports") == "normal")
    files = [
        ROOT / "app.py",
        *(file for folder in ("infra", "token_refresher", "local", "tests") for file in (ROOT / folder).rglob("*.py")),
    ]
    imported = "\n".join(
        line for file in files for line in file.read_text().splitlines() if re.match(r"\s*(from|import) aws_cdk", line)
    )
    used = set(re.findall(r"\baws_(?!cdk)[a-z0-9_]+", imported))
    assert {"aws_sqs", "aws_lambda"} <= used
    # aws_ec2 has 147,000 lines, and only props pass through from it.
    assert used - {"aws_ec2"} <= {module.rpartition(".")[2] for module in read}
