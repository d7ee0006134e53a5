"""Bills of materials, for a bundle and for a release (CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/).

They hold no time and no random number, so that equal contents have equal bills.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

from token_refresher.bundling.installed import normalised

Component = dict[str, Any]


def component(
    name: str, version: str = "", *, digests: Sequence[str] = (), licences: Iterable[Mapping[str, Any]] = ()
) -> Component:
    """Return a package of PyPI, with the SHA-256 digests of its wheels."""
    url = f"pkg:pypi/{normalised(name)}" + (f"@{version}" if version else "")
    hashes = [{"alg": "SHA-256", "content": digest} for digest in digests]
    known = {"version": version, "licenses": list(licences), "hashes": hashes}
    return {
        "type": "library",
        "bom-ref": url,
        "name": name,
        "purl": url,
        **{key: value for key, value in known.items() if value},
    }


def pins(requirements: Path) -> list[Component]:
    """Return the packages that are pinned, with the hashes of their wheels."""
    pinned = r"^([\w.-]+)==(\S+)((?: \\\n +--hash=\S+)*)"
    return [
        component(name, version, digests=re.findall(r"sha256:(\w+)", hashes))
        for name, version, hashes in re.findall(pinned, requirements.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def document(
    components: Iterable[Component], needs: Mapping[str, Iterable[str]], *, subject: Component | None = None
) -> str:
    """Return the bill as JSON. `needs` has for a component's reference those that it depends on."""
    by_reference = {one["bom-ref"]: one for one in components}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        **({"metadata": {"component": subject}} if subject else {}),
        "components": [by_reference[reference] for reference in sorted(by_reference)],
        "dependencies": [{"ref": reference, "dependsOn": sorted(needs[reference])} for reference in sorted(needs)],
    }
    return json.dumps(bill, indent=2) + "\n"


def write(folder: Path, name: str, version: str) -> None:
    """Write `<name>.cdx.json` into a bundle: our code, and each package that is installed in `folder`."""
    ours = component(name, version, licences=[{"license": {"id": "MIT"}}])
    packages = {
        normalised(one.metadata["Name"]): (one, component(one.metadata["Name"], one.version, licences=_licences(one)))
        for one in map(PathDistribution, sorted(folder.glob("*.dist-info")))
    }
    needs = {ours["bom-ref"]: [made["bom-ref"] for _, made in packages.values()]}
    for distribution, made in packages.values():
        lines = [line for line in distribution.requires or () if "extra ==" not in line]
        required = {normalised(re.split(r"[^\w.-]", line)[0]) for line in lines}
        needs[made["bom-ref"]] = [packages[each][1]["bom-ref"] for each in required & packages.keys()]
    bill = document([made for _, made in packages.values()], needs, subject=ours)
    (folder / f"{name}.cdx.json").write_text(bill, encoding="utf-8")


def _licences(distribution: PathDistribution) -> list[dict[str, Any]]:
    """Return the licence as the package states it: an SPDX expression (PEP 639), or else a name."""
    metadata = distribution.metadata
    if "License-Expression" in metadata:
        return [{"expression": metadata["License-Expression"]}]
    return [{"license": {"name": metadata["License"]}}] if "License" in metadata else []
