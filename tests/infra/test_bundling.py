"""How a bundle is built, with a package that is quick to install."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import pip
import pytest

from infra.lock import DEVELOPMENT, Machines, lock
from tests.support.bundles import names, needs_3_13
from tests.support.checkout import ROOT
from token_refresher.bundling import bundle as bundling
from token_refresher.bundling import installed, pruning
from token_refresher.bundling.python_runtime import NAMED_PYTHON, Compiler, find_compiler
from token_refresher.settings.resource_settings import Architecture

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
A_PERSONS_SETTINGS = """
user=1 require-virtualenv=1 no-deps=1 no-binary=:all: prefix=elsewhere target=elsewhere root=elsewhere log=pip.log
constraint=other.txt requirement=other.txt platform=win_amd64 python-version=3.8 dry-run=1 report=report.json
python=nowhere
"""
"""Options of pip, each of which changes what is installed, or adds a file."""
NO_COMPILER: Callable[[], Compiler | None] = lambda: None  # noqa: E731 - a value of a table


@dataclass(frozen=True, kw_only=True)
class Project:
    """A function with one dependency, whose wheel is in a folder next to it."""

    source: Path
    requirements: Path
    cache: Path
    wheel: Path

    def build(
        self,
        *,
        architecture: Architecture = "arm64",
        rules: pruning.PruningRules | None = None,
        compiler_finder: Callable[[], Compiler | None] = find_compiler,
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
    (source / "catalogue").mkdir()
    (source / "catalogue" / "acme.toml").write_text('name = "acme"\n', encoding="utf-8")
    (source / "pyproject.toml").write_text("", encoding="utf-8")
    requirements = tmp_path / "requirements.txt"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirements.write_text(f"--find-links {wheel.parent}\ntiny==1.0 --hash=sha256:{digest}\n", encoding="utf-8")
    return Project(source=source, requirements=requirements, cache=tmp_path / "cache", wheel=wheel)


def contents(folder: Path) -> dict[str, tuple[bytes, float, int]]:
    files = {name: folder / name for name in names(folder)}
    return {name: (file.read_bytes(), file.stat().st_mtime, file.stat().st_mode) for name, file in files.items()}


SOURCES = {
    "greeter/catalogue/acme.toml",
    "greeter/handler.py",
    "tiny-1.0.dist-info/LICENSE.txt",
    "tiny-1.0.dist-info/METADATA",
    "tiny/__init__.py",
}
SOURCES |= {"tiny/data/kept.json", "function.cdx.json"}
BYTE_CODE = {"greeter/__pycache__/handler.cpython-313.pyc", "tiny/__pycache__/__init__.cpython-313.pyc"}


class TestBundle:
    @needs_3_13
    def test_it_holds_packages_sources_and_byte_code(self, project: Project) -> None:
        assert names(project.build()) == SOURCES | BYTE_CODE

    def test_the_same_inputs_give_the_same_bytes(self, project: Project, tmp_path: Path) -> None:
        first = project.build()
        os.utime(project.source / "handler.py", (1_000_000_000, 1_000_000_000))
        (project.source / "handler.py").chmod(0o600)
        second = replace(project, cache=tmp_path / "another cache").build()
        assert (first.name, contents(first)) == (second.name, contents(second))

    def test_changed_sources_do_not_need_pip(self, project: Project) -> None:
        first = project.build()
        project.wheel.unlink()
        assert project.build() == first
        (project.source / "handler.py").write_text("from tiny import here\n", encoding="utf-8")
        changed = project.build()
        (project.source / "handler.py").rename(project.source / "main.py")
        renamed = project.build()
        assert len({first.name, changed.name, renamed.name}) == 3
        assert (changed / "greeter" / "handler.py").read_text(encoding="utf-8") == "from tiny import here\n"

    @needs_3_13
    def test_other_inputs_change_it(self, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folders = [
            project.build(),
            project.build(architecture="x86_64"),
            project.build(rules=pruning.PruningRules(botocore_services=("sts",))),
            project.build(compiler_finder=NO_COMPILER),
        ]
        edited = tmp_path / "pruning.py"
        edited.write_text(Path(str(pruning.__file__)).read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
        with monkeypatch.context() as patched:
            patched.setattr(pruning, "__file__", str(edited))
            folders.append(project.build())
        with project.requirements.open("a", encoding="utf-8") as file:
            file.write("# a comment\n")
        folders.append(project.build())
        assert len(set(folders)) == len(folders)
        assert folders[0].name == folders[-2].name == folders[-1].name, "the name is the hash of the content alone"

    @needs_3_13
    def test_simultaneous_builds_leave_one_complete_bundle(self, project: Project) -> None:
        with ThreadPoolExecutor(2) as pool:
            folders = {future.result() for future in [pool.submit(project.build) for _ in range(2)]}
        (folder,) = folders
        assert names(folder) == SOURCES | BYTE_CODE
        assert {path.name.split("-")[0] for path in project.cache.iterdir()} == {"packages", folder.parent.name}

    def test_a_changed_folder_is_built_again(self, project: Project) -> None:
        built = project.build()
        before = contents(built)
        (packages,) = project.cache.glob("packages-*/*")
        file, foreign = built / "tiny" / "__init__.py", built / "tiny" / "__init__.cpython-311.pyc"
        changes: tuple[Callable[[], object], ...] = (
            *(lambda: file.write_text("COLOURS = {'mauve'}\n"), file.unlink, foreign.touch),
            *(lambda: file.rename(file.with_name("other.py")), (packages / "tiny" / "__init__.py").unlink),
        )
        for change in changes:
            change()
            assert project.build() == built
            assert contents(built) == before
        project.source.joinpath("handler.py").write_text("from tiny import here\n", encoding="utf-8")
        assert "tiny/__init__.py" in names(project.build())

    def test_what_is_unused_for_30_days_is_deleted(self, project: Project) -> None:
        kept, unused = project.build(), project.build(architecture="x86_64")
        killed, foreign = project.cache / ".building-killed", project.cache / "notes"
        for folder in (killed, foreign):
            folder.mkdir()
        now, day = time.time(), 24 * 3600
        packages = [*project.cache.glob("packages-*")]
        for folder in (unused.parent, *packages, killed, foreign):
            os.utime(folder, (now - 31 * day, now - 31 * day))
        os.utime(kept.parent, (now - 29 * day, now - 29 * day))
        project.build()
        (project.source / "handler.py").write_text("from tiny import here\n", encoding="utf-8")
        project.wheel.unlink()
        changed = project.build()
        left = {path.name for path in project.cache.iterdir()}
        (in_use,) = [path.name for path in packages if path.name in left]
        assert left == {kept.parent.name, changed.parent.name, in_use, foreign.name}

    def test_everybody_may_read_it_whatever_the_umask(self, project: Project) -> None:
        before = os.umask(0o077)
        try:
            folder = project.build()
        finally:
            os.umask(before)
        assert {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*")) if path.is_dir()} == {0o755}
        assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o644}

    @pytest.mark.parametrize(
        ("variables", "cache"),
        [
            ({"XDG_CACHE_HOME": "/somewhere", "HOME": "/home/dana"}, "/somewhere"),
            ({"XDG_CACHE_HOME": "", "HOME": "/home/dana"}, "/home/dana/.cache"),
        ],
    )
    def test_it_is_kept_in_the_users_cache(self, variables: dict[str, str], cache: str) -> None:
        script = "from token_refresher.bundling.bundle import CACHE; print(CACHE)"
        environment = {**os.environ, **variables}
        done = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environment
        )
        assert done.stdout == f"{cache}/refresh-token/bundles\n"


FITS, PYTHON_3_11, ALPHA = "f30d0d0a", "a70d0d0a", "e70d0d0a"
"""The magic numbers of Python 3.13, of 3.11, and of a test version before 3.13, whose byte code 3.13 cannot load."""


class TestByteCode:
    @needs_3_13
    def test_it_is_never_checked_and_names_lambdas_path(self, project: Project) -> None:
        folder = project.build()
        for byte_code in folder.rglob("*.pyc"):
            data = byte_code.read_bytes()
            # PEP 552: flag 1 says "hash-based", flag 2 "check the source"; only the first may be set.
            assert int.from_bytes(data[4:8], "little") == 1
            assert str(project.cache).encode() not in data
        (folder / "tiny" / "__init__.py").unlink()
        (folder / "tiny" / "__pycache__" / "__init__.cpython-313.pyc").rename(folder / "tiny" / "__init__.pyc")
        script = f"import sys; sys.path.insert(0, {str(folder)!r}); import tiny; print(tiny.here())"
        found = find_compiler()
        assert found
        done = subprocess.run([found.executable, "-I", "-c", script], check=True, capture_output=True, text=True)
        assert done.stdout.strip() == "/var/task/tiny/__init__.py"

    def test_without_python_3_13_the_sources_ship(self, project: Project) -> None:
        assert names(project.build(compiler_finder=NO_COMPILER)) == SOURCES

    @needs_3_13
    def test_an_older_python_builds_the_same_bytes(self, project: Project, tmp_path: Path) -> None:
        compiler, older = find_compiler(), shutil.which("python3.11", path=f"/usr/bin{os.pathsep}{os.environ['PATH']}")
        if not older or subprocess.run([older, "-c", ""], check=False, capture_output=True).returncode:
            pytest.skip("this machine has no Python 3.11")
        assert compiler
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "pip").symlink_to(Path(pip.__file__).parent)
        script = f"""
from pathlib import Path
from token_refresher.bundling import bundle, pruning
rules = pruning.PruningRules(botocore_services=(), dropped=("tiny/extras",))
source, requirements, cache = map(Path, {[*map(str, (project.source, project.requirements, tmp_path / "older"))]})
print(bundle.build(sources=[source], requirements=requirements, architecture="arm64", rules=rules, cache=cache).name)
"""
        paths = os.pathsep.join(map(str, (ROOT, ROOT / "lambda_src", tmp_path / "site")))
        environment = {**os.environ, "PYTHONPATH": paths, NAMED_PYTHON: compiler.executable}
        done = subprocess.run([older, "-c", script], check=True, capture_output=True, text=True, env=environment)
        assert done.stdout.strip() == project.build().name

    def test_a_named_python_must_fit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for magic_number, wanted in ((FITS, nullcontext()), (PYTHON_3_11, pytest.raises(bundling.BundlingError))):
            named = interpreter(tmp_path, "mine", magic_number)
            monkeypatch.setenv(NAMED_PYTHON, named)
            with wanted as raised:
                assert find_compiler() == Compiler(executable=named)
        assert raised
        assert str(raised.value).startswith(f"{NAMED_PYTHON}={named}: must be the path of a Python 3.13.")

    def test_a_file_that_cannot_be_compiled_is_named(self, project: Project) -> None:
        (project.source / "handler.py").write_text("def\n", encoding="utf-8")
        compiler = Compiler(executable=sys.executable)
        with pytest.raises(bundling.BundlingError, match=r"could not compile the bundle[\s\S]*handler.py"):
            project.build(compiler_finder=lambda: compiler)

    @pytest.mark.parametrize(
        ("running", "on_path", "chosen"),
        [
            (FITS, {"python3.13": FITS}, "running/python"),
            (PYTHON_3_11, {"python3.13": FITS}, "path/python3.13"),
            (PYTHON_3_11, {"python3": FITS}, "path/python3"),
            (PYTHON_3_11, {"python3.13": "broken", "other/python3.13": FITS}, "path/other/python3.13"),
            (PYTHON_3_11, {"python3.13": "broken", "python3": ALPHA, "python": f"{FITS}0"}, None),
            (PYTHON_3_11, {"python3.13": "no program"}, None),
        ],
    )
    def test_the_first_python_that_fits_compiles(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, running: str, on_path: dict[str, str], chosen: str | None
    ) -> None:
        monkeypatch.setattr(sys, "executable", interpreter(tmp_path / "running", "python", running))
        for name, magic_number in on_path.items():
            interpreter(tmp_path / "path", name, magic_number)
        monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}{tmp_path / 'path' / 'other'}")
        monkeypatch.delenv(NAMED_PYTHON, raising=False)
        found = find_compiler()
        assert (found and found.executable) == (chosen and str(tmp_path / chosen))


def interpreter(folder: Path, name: str, magic_number: str) -> str:
    script = folder / name
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_bytes(b"\x7fELF" if magic_number == "no program" else f"#!/bin/sh\necho {magic_number}\n".encode())
    script.chmod(0o755)
    return str(script)


class TestPip:
    @pytest.mark.parametrize("place", ["environment", "file"])
    def test_a_persons_settings_do_not_reach_it(
        self, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        settings = dict(setting.split("=") for setting in A_PERSONS_SETTINGS.split())
        monkeypatch.chdir(tmp_path)
        (tmp_path / "other.txt").write_text("tiny==2.0\n")
        if place == "environment":
            for option, value in settings.items():
                monkeypatch.setenv(f"PIP_{option.upper().replace('-', '_')}", value)
        else:
            lines = "\n".join(f"{option} = {value}" for option, value in settings.items())
            (tmp_path / "pip.conf").write_text(f"[install]\n{lines}\n[global]\n{lines}\n")
            monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
        before = set(tmp_path.iterdir())
        assert names(project.build(compiler_finder=NO_COMPILER)) == SOURCES
        assert set(tmp_path.iterdir()) - before == {project.cache}

    @pytest.mark.parametrize("section", ["global", "install", None])
    def test_a_configured_index_is_used(
        self, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str | None
    ) -> None:
        pin = project.requirements.read_text(encoding="utf-8").splitlines()[1]
        project.requirements.write_text(f"{pin}\n", encoding="utf-8")
        if section:
            links = f"[{section}]\nfind-links =\n    {tmp_path}\n    {project.wheel.parent}\n"
            (tmp_path / "pip.conf").write_text(links)
            monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
            monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        else:
            monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path} {project.wheel.parent}")
        assert names(project.build(compiler_finder=NO_COMPILER)) == SOURCES

    def test_app_modules_stay_out(self, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "secrets.py").write_text("raise SystemExit('not this one')\n")
        (tmp_path / "pip.py").write_text("raise SystemExit('nor this one')\n")
        monkeypatch.chdir(tmp_path)
        assert names(project.build(compiler_finder=NO_COMPILER)) == SOURCES

    @pytest.mark.parametrize(
        ("pin", "reason"),
        [
            ("tiny==2.0", r"No matching distribution found for tiny==2\.0"),
            ("tiny==1.0", "DO NOT MATCH THE HASHES"),
            ("tiny==1.0 #", "Hashes are required"),
            ("tiny>=1.0", "pinned|DO NOT MATCH THE HASHES"),
        ],
    )
    def test_a_wheel_that_is_not_pinned_is_refused(self, project: Project, pin: str, reason: str) -> None:
        links = f"--find-links {project.wheel.parent}"
        project.requirements.write_text(f"{links}\n{pin} --hash=sha256:{'0' * 64}\n", encoding="utf-8")
        with pytest.raises(
            bundling.BundlingError, match=r"could not install .*requirements.txt for manylinux2014_aarch64"
        ) as raised:
            project.build()
        assert re.search(reason, str(raised.value))
        assert list(project.cache.iterdir()) == []

    @pytest.mark.skipif(
        int(metadata.version("pip").split(".")[0]) < 24, reason="an older pip reports no hash of a local wheel"
    )
    def test_the_lock_has_the_hash_of_each_wheel(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        """`quick` has a compiled wheel for new machines, and is needed on one version of Python only."""
        folder = project.wheel.parent
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
        wheels = [project.wheel]
        for tags in ("cp313-cp313-manylinux_2_34_x86_64", "py3-none-any"):
            wheels.append(folder / f"quick-2.0-{tags}.whl")
            with zipfile.ZipFile(wheels[-1], "w") as archive:
                archive.writestr("quick-2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: quick\nVersion: 2.0\n")
                archive.writestr("quick-2.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tags}\n")
                archive.writestr("quick-2.0.dist-info/RECORD", "")
        tiny, *quick = (f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" for wheel in wheels)
        marker = 'python_version >= "3.13"'
        text = f"# A comment.\ntiny==1.0 --hash=sha256:0\nquick==2.0; {marker}\n"
        project.requirements.write_text(text, encoding="utf-8")
        new_then_old = (("manylinux_2_34_x86_64",), ("manylinux_2_28_x86_64",))
        locked = lock(project.requirements, Machines(("3.12", "3.13"), {"x86_64": new_then_old}))
        pins = ["# A comment.", "tiny==1.0", tiny, f"quick==2.0 ; {marker}", *sorted(quick)]
        assert [line.removesuffix(" \\").strip() for line in locked.splitlines()] == pins

    def test_what_make_installs_is_what_we_pin(self) -> None:
        """Else somebody changed constraints.txt without `make lock`."""
        assert installed.pinned(DEVELOPMENT) == installed.pinned(ROOT / "constraints.txt")

    def test_a_broken_file_fails(self, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "pip.conf").write_text("no section\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
        with pytest.raises(bundling.BundlingError, match=r"correct pip's configuration[\s\S]*pip.conf"):
            project.build()


@pytest.fixture
def packages(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with one installed package, and its pin."""
    info = tmp_path / "packages" / "Some_thing-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Some_thing\nVersion: 1.0\n")
    (info.parent / "some.py").write_text("")
    empty = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    (info / "RECORD").write_text(f"some.py,{empty},0\nSome_thing-1.0.dist-info/RECORD,,\n../../bin/some,,\n")
    (tmp_path / "pins.txt").write_text("some.thing==1.0 \\\n    --hash=sha256:0\n")
    return info.parent, tmp_path / "pins.txt"


class TestCheckOfWhatIsInstalled:
    def test_the_pinned_packages_pass(self, packages: tuple[Path, Path]) -> None:
        installed.check(*packages)

    @pytest.mark.parametrize(
        ("file", "text", "fault"),
        [
            ("pins.txt", "some-thing==1.1", "some-thing: 1.1 is pinned, 1.0 is installed"),
            ("pins.txt", "", "some-thing: no version is pinned, 1.0 is installed"),
            ("pins.txt", "some-thing==1.0\nother==2", "other: 2 is pinned, no version is installed"),
            ("packages/some.py", "x = 1", "Some_thing: some.py was changed"),
            ("packages/some.py", None, "Some_thing: some.py is missing"),
            ("packages/Some_thing-1.0.dist-info/RECORD", None, "Some_thing: the list of its files, RECORD, is missing"),
        ],
    )
    def test_anything_else_is_an_error(
        self, packages: tuple[Path, Path], tmp_path: Path, file: str, text: str | None, fault: str
    ) -> None:
        if text is None:
            (tmp_path / file).unlink()
        else:
            (tmp_path / file).write_text(text)
        with pytest.raises(bundling.BundlingError) as raised:
            installed.check(*packages)
        assert str(raised.value).splitlines()[1:] == [fault]

    def test_the_tests_run_with_the_same_versions(self) -> None:
        pinned = installed.pinned(bundling.REQUIREMENTS)
        assert len(pinned) > 8
        assert {name: metadata.version(name) for name in pinned} == pinned


class TestLayer:
    @pytest.fixture
    def client(self, tmp_path: Path) -> Path:
        folder = tmp_path / "some_client"
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "__init__.py").write_text("VALUE = 1\n")
        for name in ("py.typed", "pyproject.toml", "__pycache__/__init__.cpython-313.pyc"):
            (folder / name).touch()
        return folder

    def test_it_holds_the_package_where_lambda_looks(self, client: Path, tmp_path: Path) -> None:
        layer = bundling.client_bundle(client, cache=tmp_path / "cache")
        files = {"python/some_client/__init__.py", "python/some_client/py.typed", "refresh-token-client.cdx.json"}
        assert names(layer) == files

    def test_its_name_follows_its_content(self, client: Path, tmp_path: Path) -> None:
        first = bundling.client_bundle(client, cache=tmp_path / "one")
        assert bundling.client_bundle(client, cache=tmp_path / "other").name == first.name
        (client / "__init__.py").write_text("VALUE = 2\n")
        assert bundling.client_bundle(client, cache=tmp_path / "one").name != first.name
