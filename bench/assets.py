"""The asset that we deploy, and its peers, each as a folder from which the runtime starts."""

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.support.checkout import ROOT
from tests.support.lambda_emulator import HANDLER
from tests.support.local_function import build_asset
from token_refresher.bundling import pip
from token_refresher.bundling.bundle import build

PEERS = Path(__file__).parent / "peers"
_CACHE = ROOT / ".cache" / "peers"
# 1 January 1980. The CDK CLI gives this date to every file that it zips, so that equal files make equal zips.
_CDK_EPOCH = 315_532_800


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A function's folder and its handler."""

    name: str
    folder: Path
    handler: str

    @property
    def zip_megabytes(self) -> float:
        """The size of the uploaded zip, in 10^6 bytes."""
        file = _CACHE / f"{self.name}.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for path in sorted(self.folder.rglob("*")):
                archive.write(path, path.relative_to(self.folder))
        return file.stat().st_size / 1e6


def ours() -> Asset:
    """Return the folder that `cdk deploy` uploads."""
    return Asset(name="ours", folder=build_asset(), handler=HANDLER)


def installed(peer: str) -> Asset:
    """Return a peer after a plain `pip install -t`, with all its files and with fresh byte code."""
    requirements = PEERS / peer / "requirements.txt"
    handler = PEERS / peer / "handler.py"
    inputs = requirements.read_bytes() + handler.read_bytes() + sys.version.encode()
    folder = _CACHE / f"{peer}-{sha256(inputs).hexdigest()[:16]}"
    if not folder.exists():
        scratch = folder.with_suffix(".building")
        shutil.rmtree(scratch, ignore_errors=True)
        command = [sys.executable, "-P", "-m", "pip", "install", "-qq", "--target"]
        subprocess.run([*command, scratch, "--requirement", requirements], check=True, env=pip.environment(os.environ))  # noqa: S603
        shutil.copytree(PEERS / peer, scratch / peer, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run([sys.executable, "-m", "compileall", "-q", scratch / peer], check=True)  # noqa: S603
        scratch.rename(folder)
    return Asset(name=f"{peer}, fresh byte code", folder=folder, handler=f"{peer}.handler.lambda_handler")


def uploaded(peer: str) -> Asset:
    """Return a peer after `cdk deploy`, whose new dates make the byte code stale. Lambda cannot write new byte code."""
    left_by_pip = installed(peer)
    folder = left_by_pip.folder.with_name(f"{left_by_pip.folder.name}-uploaded")
    if not folder.exists():
        scratch = folder.with_suffix(".building")
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(left_by_pip.folder, scratch)
        for path in scratch.rglob("*"):
            os.utime(path, (_CDK_EPOCH, _CDK_EPOCH))
        scratch.rename(folder)
    return Asset(name=peer, folder=folder, handler=left_by_pip.handler)


def pruned(peer: str) -> Asset:
    """Return a peer that our own bundling built: pruned, with byte code that Python does not check."""
    folder = build(sources=[PEERS / peer], requirements=PEERS / peer / "requirements.txt", architecture="x86_64")
    return Asset(name=f"{peer}, our bundling", folder=folder, handler=f"{peer}.handler.lambda_handler")
