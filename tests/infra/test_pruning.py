import json
import shutil
from pathlib import Path

import botocore
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.session import get_session

from token_refresher.bundling.pruning import FUNCTION_RULES, PruningRules, prune


def plant(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_named_services_and_shared_files_stay(tmp_path: Path) -> None:
    data = "botocore/data"
    plant(
        tmp_path, f"{data}/endpoints.json", f"{data}/sts/2011/service-2.json.gz", f"{data}/ec2/2016/service-2.json.gz"
    )
    (tmp_path / data / "endpoints.json").write_text('{"partitions": []}')
    plant(tmp_path, "boto3/data/ec2/2016/resources-1.json", "boto3/session.py", "other/data/ec2/x.json")
    prune(tmp_path, PruningRules(botocore_services=("sts",)))
    assert left(tmp_path) == [
        "boto3/session.py",
        "botocore/data/endpoints.json",
        "botocore/data/sts/2011/service-2.json.gz",
        "other/data/ec2/x.json",
    ]


def test_a_service_may_keep_few_operations(tmp_path: Path) -> None:
    data = Path(botocore.__file__).parent / "data"
    shutil.copytree(data / "kms", tmp_path / "botocore" / "data" / "kms")
    prune(tmp_path, PruningRules(botocore_services=("kms",), kept_operations=(("kms", ("Sign",)),)))
    (model,) = tmp_path.rglob("service-2.json*")
    assert model.stat().st_size < 10_000
    loader = Loader(extra_search_paths=[str(tmp_path / "botocore" / "data")], include_default_search_paths=False)
    found = ServiceModel(loader.load_service_model("kms", "service-2"), "kms")
    assert found.operation_names == ["Sign"]
    before = get_session().get_service_model("kms").operation_model("Sign")
    after = found.operation_model("Sign")
    assert [shape.name for shape in after.error_shapes] == [shape.name for shape in before.error_shapes]
    assert after.input_shape
    assert before.input_shape
    assert after.input_shape.members.keys() == before.input_shape.members.keys()


def test_only_unused_powertools_go(tmp_path: Path) -> None:
    utilities = "aws_lambda_powertools/utilities"
    plant(tmp_path, f"{utilities}/parser/__init__.py", f"{utilities}/idempotency/base.py")
    plant(tmp_path, "aws_lambda_powertools/event_handler/api_gateway.py", "aws_lambda_powertools/logging/logger.py")
    prune(tmp_path, FUNCTION_RULES)
    assert left(tmp_path) == ["aws_lambda_powertools/logging/logger.py", f"{utilities}/idempotency/base.py"]


def test_names_versions_and_licences_stay(tmp_path: Path) -> None:
    info = "six-1.0.dist-info"
    plant(tmp_path, *(f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "LICENSE", "licenses/NOTICE")))
    prune(tmp_path, FUNCTION_RULES)
    assert left(tmp_path) == [f"{info}/LICENSE", f"{info}/METADATA", f"{info}/licenses/NOTICE"]


def test_endpoints_keep_partitions_and_named_services(tmp_path: Path) -> None:
    def partition(*services: str) -> dict[str, object]:
        return {"partition": "p", "regions": {"r": {}}, "services": {name: {"endpoints": {}} for name in services}}

    file = tmp_path / "botocore" / "data" / "endpoints.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"version": 3, "partitions": [partition("sts", "ec2"), partition("ec2")]}))
    prune(tmp_path, PruningRules(botocore_services=("sts",)))
    assert json.loads(file.read_text()) == {"version": 3, "partitions": [partition("sts"), partition()]}
