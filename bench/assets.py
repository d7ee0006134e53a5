"""The asset that we ship and the peers, each as a folder that the runtime starts from."""

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
from token_refresher.bundling.bundle import build

PEERS = Path(__file__).parent / "peers"
_CACHE = ROOT / ".cache" / "peers"
# 1 January 1980: the CDK CLI gives it to every file of the zip that it uploads, so that equal files make equal zips.
_CDK_EPOCH = 315_532_800


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A function's folder, and the handler in it."""

    name: str
    folder: Path
    handler: str

    @property
    def zip_megabytes(self) -> float:
        """The size of the folder as the zip that is uploaded, in 10^6 bytes."""
        file = _CACHE / f"{self.name}.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for path in sorted(self.folder.rglob("*")):
                archive.write(path, path.relative_to(self.folder))
        return file.stat().st_size / 1e6


def ours() -> Asset:
    """Return what `cdk deploy` uploads."""
    return Asset(name="ours", folder=build_asset(), handler=HANDLER)


def installed(peer: str) -> Asset:
    """Return a peer after a plain `pip install -t`: all files, with the byte code that pip makes, fresh."""
    requirements = PEERS / peer / "requirements.txt"
    handler = PEERS / peer / "handler.py"
    inputs = requirements.read_bytes() + handler.read_bytes() + sys.version.encode()
    folder = _CACHE / f"{peer}-{sha256(inputs).hexdigest()[:16]}"
    if not folder.exists():
        scratch = folder.with_suffix(".building")
        shutil.rmtree(scratch, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*command, "--target", scratch, "--requirement", requirements], check=True)  # noqa: S603
        shutil.copytree(PEERS / peer, scratch / peer, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run([sys.executable, "-m", "compileall", "-q", scratch / peer], check=True)  # noqa: S603
        scratch.rename(folder)
    return Asset(name=f"{peer} as pip left it", folder=folder, handler=f"{peer}.handler.lambda_handler")


def uploaded(peer: str) -> Asset:
    """Return the same after `cdk deploy`: the new dates make pip's byte code stale, and Lambda can write none."""
    fresh = installed(peer)
    folder = fresh.folder.with_name(f"{fresh.folder.name}-uploaded")
    if not folder.exists():
        scratch = folder.with_suffix(".building")
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(fresh.folder, scratch)
        for path in scratch.rglob("*"):
            os.utime(path, (_CDK_EPOCH, _CDK_EPOCH))
        scratch.rename(folder)
    return Asset(name=peer, folder=folder, handler=fresh.handler)


def pruned(peer: str) -> Asset:
    """Return a peer bundled as we bundle: pruned, byte code that is never checked."""
    folder = build(sources=[PEERS / peer], requirements=PEERS / peer / "requirements.txt", architecture="x86_64")
    return Asset(name=f"{peer} bundled as ours", folder=folder, handler=f"{peer}.handler.lambda_handler")
