"""The wheel as another team installs it."""

import email
import hashlib
import json
import os
import re
import subprocess
import zipfile
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import pytest

from infra.dist import PACKAGES, build
from infra.release_notes import notes
from tests.support.checkout import ROOT
from tests.support.wheel import dist, path_with_compiler, python_with, wheel
from token_client import __version__
from token_refresher.bundling.bundle import client_bundle, function_bundle

pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(wheel(tmp_path_factory))


def run(folder: Path, *command: str | Path, code: int = 0, **variables: str) -> str:
    """Return what a command prints: its output, or its errors if it is to fail."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, env={**kept, **variables}, timeout=600
    )
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


class TestContents:
    def test_each_file_of_the_packages_once(self, archive: zipfile.ZipFile) -> None:
        expected = {
            file.relative_to((ROOT / package).parent).as_posix()
            for package in PACKAGES
            for file in (ROOT / package).rglob("*")
            if file.suffix in {".py", ".json"}
            or file.name in ("py.typed", "requirements.txt")
            or file.match("catalogue/*.toml")
        }
        found = Counter(name for name in archive.namelist() if ".dist-info/" not in name)
        assert set(found) == expected
        assert set(found.values()) == {1}
        assert {f"{Path(package).name}/py.typed" for package in PACKAGES} < expected

    def test_nothing_is_required_without_an_extra(self, archive: zipfile.ZipFile) -> None:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
        requirements = metadata.get_all("Requires-Dist", [])
        assert [each for each in requirements if 'extra == "' not in each] == []
        assert metadata.get_all("Provides-Extra") == ["cdk", "cli"]
        assert metadata["License-Expression"] == "MIT"
        assert "# refresh-token" in metadata.get_payload()

    def test_a_second_build_has_the_same_bytes(self, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        before = os.umask(0o077)
        try:
            built = build(tmp_path)
        finally:
            os.umask(before)
        assert contents(tmp_path) == contents(dist(tmp_path_factory))
        components = {each["bom-ref"]: each for each in json.loads(built[-1].read_text())["components"]}
        for file in built[:-1]:
            name, version, _ = file.name.split("-", 2)
            (digest,) = components[f"pkg:pypi/{name.replace('_', '-')}@{version}"]["hashes"]
            assert digest["content"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert {"pkg:pypi/boto3", "pkg:pypi/aws-cdk-lib"} <= set(components)


def test_a_releases_notes_are_its_changelog_section(tmp_path: Path) -> None:
    changelog, tag = tmp_path / "CHANGELOG.md", f"v{__version__}"
    for text, wanted in ((f"## [{__version__}] - 2026\n\nNew.\n\n## [0.0.9]\nOld.\n", "New.\n"), ("## [9.9.9]\n", "")):
        changelog.write_text(text)
        with nullcontext() if wanted else pytest.raises(ValueError, match="no section"):
            assert notes(tag, changelog) == wanted
    with pytest.raises(ValueError, match=f"is not {tag}"):
        notes("v9.9.9", changelog)


def test_the_clients_wheel_works_alone(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    script = "from token_client import TokenClient; print(TokenClient('f').token_in_memory())"
    python = python_with("client", tmp_path_factory)
    assert run(tmp_path, python, "-c", script, AWS_DEFAULT_REGION="eu-west-1") == "None\n"


@pytest.mark.parametrize("words", [["--help"], ["status", "--help"], ["schema", "status"]], ids=" ".join)
def test_extra_cli_runs_tokenctl(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    tokenctl = python_with("cli", tmp_path_factory).with_name("tokenctl")
    assert "tokenctl" in run(tmp_path, tokenctl, *words)


def test_tokenctl_without_its_extra_names_it(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    tokenctl = python_with("cdk", tmp_path_factory).with_name("tokenctl")
    (line,) = run(tmp_path, tokenctl, "--help", code=253).splitlines()
    assert "pip install 'refresh-token[cli]'" in line


CONSTRUCT = "from token_refresher import TokenRefresher"
BUNDLE = "from token_refresher.bundling.bundle import function_bundle; function_bundle('arm64')"


@pytest.mark.parametrize(
    ("extra", "installed", "script", "advice"),
    [
        (
            "cdk",
            "2.206.0",
            CONSTRUCT,
            r"needs aws-cdk-lib 2\.207\.0 or later, but 2\.206\.0 is installed\. Run pip",
        ),
        ("cli", None, CONSTRUCT, r"needs the CDK's library, aws-cdk-lib\. Run pip install 'refresh-token\[cdk\]'"),
        ("cli", None, BUNDLE, r"could not run pip, .*Install pip for this Python[\s\S]*No module named pip$"),
    ],
)
def test_what_is_missing_or_too_old_is_named(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    *,
    extra: str,
    installed: str | None,
    script: str,
    advice: str,
) -> None:
    if installed:
        info = tmp_path / f"aws_cdk_lib-{installed}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: aws-cdk-lib\nVersion: {installed}\n")
    python = python_with(extra, tmp_path_factory)
    mine = {"PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert re.search(advice, run(tmp_path, python, "-c", script, code=1, **mine).strip())


def test_the_documented_apps_synthesise(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    block, with_props, *_ = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "infrastructure.md").read_text(), re.DOTALL
    )
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "__init__.py").write_text("TEAM = 'design'\n")
    (tmp_path / "app.py").write_text(f"from infra import TEAM\n{with_props}\n{block}")  # one start of jsii for both
    bundles = [function_bundle("arm64"), client_bundle()]
    python = python_with("cdk", tmp_path_factory)
    path = path_with_compiler()
    run(tmp_path, python, "app.py", CDK_OUTDIR=str(tmp_path / "cdk.out"), PIP_NO_INDEX="1", PATH=path)
    assert '"AWS::SNS::Subscription"' in (tmp_path / "cdk.out" / "Design.template.json").read_text()
    assets = [folder for folder in (tmp_path / "cdk.out").glob("asset.*") if folder.is_dir()]
    assert sorted(map(contents, assets)) == sorted(map(contents, bundles)), "the wheel brings what the checkout brings"


def contents(folder: Path) -> list[tuple[str, bytes]]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return [(file.relative_to(folder).as_posix(), file.read_bytes()) for file in files]
