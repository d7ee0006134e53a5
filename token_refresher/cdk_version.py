"""Refuses a CDK library that is too old for the construct, before an import or an attribute fails."""

import re
from importlib import metadata


def check() -> None:
    """Compare the installed aws-cdk-lib with the lower bound of the extra `cdk`.

    Raises:
        ImportError: it is missing or too old.

    """
    try:
        requirements = " ".join(metadata.requires("refresh-token") or ())
        installed = metadata.version("aws-cdk-lib")
    except metadata.PackageNotFoundError as missing:
        if missing.name == "refresh-token":  # a checkout on the path, not an installed package
            return
        raise ImportError(
            "TokenRefresher needs the CDK's library, aws-cdk-lib. Run pip install 'refresh-token[cdk]'."
        ) from None
    bound = re.search(r"aws-cdk-lib[^;]*>=([\d.]+)", requirements)
    if bound and _numbers(installed) < _numbers(bound[1]):
        raise ImportError(
            f"TokenRefresher needs aws-cdk-lib {bound[1]} or later, but {installed} is installed. Run pip install "
            f"--upgrade 'aws-cdk-lib>={bound[1]}'."
        )


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
