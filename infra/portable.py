"""Builds what teams deploy that use neither Python nor our sources: a cloud assembly, and templates with their assets.

Both hold one stack for each issuer, with the settings of the stage `prod`. `cdk deploy --app` deploys the assembly.
CloudFormation alone deploys a template, from a bucket that holds the assets.
"""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

from aws_cdk import App, CfnParameter, CliCredentialsStackSynthesizer, DefaultStackSynthesizer, IStackSynthesizer
from aws_cdk.cx_api import CloudAssembly

from infra.checks import add_checks
from infra.portable_stack import PortableStack
from infra.stage_settings import PROD, StageSettings
from refresh_token.oauth.issuers import NAMES, OAUTH2
from token_client import __version__
from token_refresher.bundling.bundle import function_bundle
from token_refresher.bundling.errors import BundlingError
from token_refresher.bundling.python_runtime import NAMED_PYTHON, RUNTIME_PYTHON, has_byte_code

CONFIGURATION: Final = Path(__file__).resolve().parent.parent / "cdk.json"
TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive: the first that a zip file can hold, which the CDK takes as well."""

MAX_TEMPLATE: Final = 51_200
"""Bytes of a template that is not in a bucket (CloudFormation User Guide, "Understand CloudFormation quotas")."""


def build(folder: Path) -> list[Path]:
    """Build both archives into `folder` and return them.

    Raises:
        BundlingError: the function's bundle cannot be built here as it is built elsewhere.

    """
    if not has_byte_code(function_bundle("arm64")):
        raise BundlingError(
            f"No Python {RUNTIME_PYTHON} found, so the function would have no byte code, and the archives other bytes "
            f"than on other machines. Put a python{RUNTIME_PYTHON} on PATH, or set {NAMED_PYTHON} to the path of one."
        )
    with tempfile.TemporaryDirectory() as scratch:
        assembly, templates = Path(scratch) / "cdk.out", Path(scratch) / "cloudformation"
        synthesise(assembly)
        write_templates(templates)
        return [
            _pack(each, folder / f"refresh-token-{__version__}-{each.name}.zip", inside=each.name)
            for each in (assembly, templates)
        ]


def synthesise(folder: Path, *, bucket: bool = False, emulator: bool = False) -> CloudAssembly:
    """Synthesise the stacks into `folder`; with `bucket`, their assets are in a bucket that a parameter names."""
    context: dict[str, Any] = json.loads(CONFIGURATION.read_text(encoding="utf-8"))["context"]
    # Stack traces hold folders of this machine, and the order of the tree changes from one synthesis to the next.
    app = App(
        outdir=str(folder),
        context={**context, "aws:cdk:disable-stack-trace": True},
        analytics_reporting=False,
        tree_metadata=False,
    )
    add_checks(app)
    for issuer in NAMES:
        needs = {"oauth2_token_url": "https://parameter.example"} if issuer == OAUTH2 else {}
        settings = StageSettings.from_context({**context, "stage": PROD, "issuer": issuer, **needs})
        stack = PortableStack(
            app,
            f"RefreshToken-{issuer}",
            settings=settings,
            synthesizer=_from_bucket() if bucket else DefaultStackSynthesizer(),
            emulator=emulator,
        )
        if bucket:
            CfnParameter(stack, "AssetBucket", description="The bucket with the assets, in the region of the stack.")
            CfnParameter(
                stack,
                "AssetPrefix",
                description="What the keys of the assets in the bucket begin with, such as refresh-token/.",
                default="",
            )
    return app.synth()


def _from_bucket() -> IStackSynthesizer:
    # The names are in an Fn::Sub, so they can refer to parameters. There is no role and no rule of the bootstrap.
    return CliCredentialsStackSynthesizer(file_assets_bucket_name="${AssetBucket}", bucket_prefix="${AssetPrefix}")


def write_templates(folder: Path, *, emulator: bool = False) -> None:
    """Write `<issuer>.template.json` for each issuer into `folder`, and the assets of all of them into `assets`.

    Raises:
        ValueError: a template is larger than CloudFormation accepts without a bucket.

    """
    (folder / "assets").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        assembly = synthesise(Path(scratch), bucket=True, emulator=emulator)
        for stack in assembly.stacks:
            # Without indentation: a template may have 51,200 bytes.
            text = json.dumps(stack.template, separators=(",", ":"))
            if len(text) > MAX_TEMPLATE:
                raise ValueError(f"The template of {stack.stack_name} has {len(text)} bytes, more than {MAX_TEMPLATE}.")
            name = stack.stack_name.rpartition("-")[2]
            (folder / f"{name}.template.json").write_text(f"{text}\n", encoding="utf-8")
        for asset in Path(scratch).glob("asset.*"):
            _pack(asset, folder / "assets" / f"{asset.name.removeprefix('asset.')}.zip")


def _pack(folder: Path, archive: Path, *, inside: str = "") -> Path:
    """Pack a folder into an archive, below `inside`. The same files make the same bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo((Path(inside) / file.relative_to(folder)).as_posix(), TIME)
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            packed.writestr(entry, file.read_bytes())
    return archive
