import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from token_refresher.bundling import bundle as bundling
from token_refresher.bundling import pruning, python_runtime
from token_refresher.settings.refresher_settings import Architecture

WHEEL = "tiny-1.0-py3-none-any.whl"
WHEEL_FILES = {
    "tiny/__init__.py": "COLOURS = {'red', 'green', 'blue'}\n\n\ndef here():\n    return here.__code__.co_filename\n",
    "tiny/__init__.pyi": "COLOURS: set[str]\n",
    "tiny/py.typed": "",
    "tiny/tests/test_tiny.py": "raise SystemExit\n",
    "tiny/data/kept.json": "{}",
    "tiny/extras/dropped.json": "{}",
    "tiny-1.0.data/scripts/tiny": "#!python\n",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/LICENSE.txt": "do as you like\n",
}


needs_3_13 = pytest.mark.skipif(
    python_runtime.find_compiler() is None,
    reason="this machine has no Python 3.13, so bundles carry no byte code; how that is told is tested all the same",
)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A function with one dependency, which lies in a folder beside it."""

    source: Path
    requirements: Path
    cache: Path
    wheel: Path

    def build(
        self,
        *,
        architecture: Architecture = "arm64",
        rules: pruning.PruningRules | None = None,
        compiler_finder: Callable[[], python_runtime.Compiler | None] = python_runtime.find_compiler,
    ) -> Path:
        return bundling.build(
            sources=[self.source],
            requirements=self.requirements,
            architecture=architecture,
            rules=rules or pruning.PruningRules(botocore_services=(), dropped=("tiny/extras",)),
            cache=self.cache,
            compiler_finder=compiler_finder,
        )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel = tmp_path / "wheels" / WHEEL
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in WHEEL_FILES.items():
            archive.writestr(name, text)
        archive.writestr("tiny-1.0.dist-info/RECORD", "".join(f"{name},,\n" for name in WHEEL_FILES))
    source = tmp_path / "greeter"
    (source / "__pycache__").mkdir(parents=True)
    (source / "__pycache__" / "stale.cpython-313.pyc").write_bytes(b"stale")
    (source / "handler.py").write_text("from tiny import COLOURS\n", encoding="utf-8")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"--find-links {wheel.parent}\ntiny==1.0\n", encoding="utf-8")
    return Project(source=source, requirements=requirements, cache=tmp_path / "cache", wheel=wheel)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def contents(folder: Path) -> dict[str, tuple[str, float, int]]:
    return {
        name: (
            hashlib.sha256((folder / name).read_bytes()).hexdigest(),
            (folder / name).stat().st_mtime,
            (folder / name).stat().st_mode,
        )
        for name in names(folder)
    }


@needs_3_13
def test_a_bundle_holds_packages_sources_and_byte_code_and_nothing_that_is_never_loaded(project: Project) -> None:
    assert names(project.build()) == {
        "greeter/__pycache__/handler.cpython-313.pyc",
        "greeter/handler.py",
        "tiny-1.0.dist-info/LICENSE.txt",
        "tiny-1.0.dist-info/METADATA",
        "tiny/__init__.py",
        "tiny/__pycache__/__init__.cpython-313.pyc",
        "tiny/data/kept.json",
    }


def test_the_same_inputs_give_the_same_name_and_the_same_bytes(project: Project, tmp_path: Path) -> None:
    first = project.build()
    os.utime(project.source / "handler.py", (1_000_000_000, 1_000_000_000))
    (project.source / "handler.py").chmod(0o600)
    second = replace(project, cache=tmp_path / "another cache").build()
    assert first.name == second.name
    assert contents(first) == contents(second)


def test_a_second_build_does_not_run_pip(project: Project) -> None:
    first = project.build()
    project.wheel.unlink()
    assert project.build() == first


def test_changed_sources_change_the_hash_and_do_not_run_pip(project: Project) -> None:
    first = project.build()
    project.wheel.unlink()
    (project.source / "handler.py").write_text("from tiny import here\n", encoding="utf-8")
    changed = project.build()
    (project.source / "handler.py").rename(project.source / "main.py")
    renamed = project.build()
    assert len({first.name, changed.name, renamed.name}) == 3
    assert (changed / "greeter" / "handler.py").read_text(encoding="utf-8") == "from tiny import here\n"


@needs_3_13
def test_changed_requirements_rules_platform_or_compiler_change_the_hash(project: Project) -> None:
    folders = [
        project.build(),
        project.build(architecture="x86_64"),
        project.build(rules=pruning.PruningRules(botocore_services=("sts",))),
        project.build(compiler_finder=lambda: None),
    ]
    requirements = project.requirements
    requirements.write_text(requirements.read_text(encoding="utf-8") + "# a comment\n", encoding="utf-8")
    folders.append(project.build())
    assert len({folder.name for folder in folders}) == len(folders)


@needs_3_13
def test_another_way_to_prune_changes_the_hash(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = project.build()
    edited = tmp_path / "pruning.py"
    edited.write_text(Path(str(pruning.__file__)).read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    monkeypatch.setattr(pruning, "__file__", str(edited))
    assert project.build().name != first.name


def test_what_pip_cannot_install_leaves_no_bundle_and_says_why(project: Project) -> None:
    project.wheel.unlink()
    with pytest.raises(bundling.BundlingError, match=r"could not install .*requirements.txt for manylinux2014_aarch64"):
        project.build()
    assert list(project.cache.iterdir()) == []


@needs_3_13
def test_builds_at_the_same_time_end_in_one_whole_bundle(project: Project) -> None:
    with ThreadPoolExecutor(2) as pool:
        folders = {future.result() for future in [pool.submit(project.build) for _ in range(2)]}
    (folder,) = folders
    assert len(names(folder)) == 7
    assert {path.name.split("-")[0] for path in project.cache.iterdir()} == {"packages", folder.name}


@needs_3_13
def test_byte_code_is_loaded_as_is_and_names_the_path_in_lambda(project: Project) -> None:
    folder = project.build()
    for byte_code in folder.rglob("*.pyc"):
        data = byte_code.read_bytes()
        # PEP 552: flag 1 says "hash-based", flag 2 "check the source"; only the first may be set.
        assert int.from_bytes(data[4:8], "little") == 1
        assert str(project.cache).encode() not in data
    (folder / "tiny" / "__init__.py").unlink()
    (folder / "tiny" / "__pycache__" / "__init__.cpython-313.pyc").rename(folder / "tiny" / "__init__.pyc")
    script = f"import sys; sys.path.insert(0, {str(folder)!r}); import tiny; print(tiny.here())"
    found = python_runtime.find_compiler()
    assert found
    done = subprocess.run([found.executable, "-I", "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "/var/task/tiny/__init__.py"


def test_everybody_may_read_the_files_whatever_the_umask(project: Project) -> None:
    before = os.umask(0o077)
    try:
        folder = project.build()
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*")) if path.is_dir()} == {0o755}
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o644}


def test_without_a_fitting_python_it_says_so_and_ships_the_sources(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project.build(compiler_finder=lambda: None)
    assert not list(folder.rglob("*.pyc"))
    assert (folder / "greeter" / "handler.py").exists()
    assert capsys.readouterr().err.startswith("No Python 3.13 found: the function ships without byte code")


def interpreter(folder: Path, name: str, version: str) -> str:
    script = folder / name
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize(
    ("running", "on_path", "expected"),
    [
        ("3.13.9", {"python3.13": "3.13.1"}, "3.13.9"),
        ("3.11.2", {"python3.13": "3.13.1"}, "3.13.1"),
        ("3.11.2", {"python3": "3.13.2"}, "3.13.2"),
        ("3.11.2", {"python3.13": "broken", "python3": "3.12.0", "python": "3.130.0"}, None),
        ("3.14.0", {}, None),
    ],
)
def test_the_running_python_is_taken_if_it_fits_else_the_first_that_does_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, running: str, on_path: dict[str, str], expected: str | None
) -> None:
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path / "running", "python", running))
    for name, version in on_path.items():
        interpreter(tmp_path / "path", name, version)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    found = python_runtime.find_compiler()
    assert (found and found.version) == expected


@pytest.fixture
def client(tmp_path: Path) -> Path:
    folder = tmp_path / "some_client"
    folder.mkdir()
    (folder / "__init__.py").write_text("VALUE = 1\n")
    (folder / "py.typed").touch()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "__init__.cpython-313.pyc").touch()
    return folder


def test_a_layer_holds_the_clients_sources_where_lambda_looks_for_them(client: Path, tmp_path: Path) -> None:
    layer = bundling.client_bundle(client, cache=tmp_path / "cache")
    files = sorted(str(path.relative_to(layer)) for path in layer.rglob("*") if path.is_file())
    assert files == ["python/some_client/__init__.py", "python/some_client/py.typed"]
    done = subprocess.run(
        [sys.executable, "-B", "-c", "import some_client; print(some_client.VALUE)"],
        env={"PYTHONPATH": str(layer / "python")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "1\n"


def test_a_layer_is_known_by_its_content(client: Path, tmp_path: Path) -> None:
    first = bundling.client_bundle(client, cache=tmp_path / "one")
    assert bundling.client_bundle(client, cache=tmp_path / "other").name == first.name
    (client / "__init__.py").write_text("VALUE = 2\n")
    assert bundling.client_bundle(client, cache=tmp_path / "one").name != first.name


def test_our_layer_brings_the_client_alone() -> None:
    layer = bundling.client_bundle()
    assert [path.name for path in (layer / "python").iterdir()] == ["token_client"]
    assert (layer / "python" / "token_client" / "py.typed").is_file()


def test_an_installed_package_keeps_its_bundles_in_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bundling.CACHE == bundling.ROOT / ".cache" / "bundles"
    monkeypatch.setattr(bundling, "ROOT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert bundling._cache() == Path("/somewhere/refresh-token/bundles")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/dana")
    assert bundling._cache() == Path("/home/dana/.cache/refresh-token/bundles")
