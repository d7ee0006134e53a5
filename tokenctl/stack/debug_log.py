"""The log of `--debug`: the calls, and where the credentials come from. Unlike the AWS CLI's, it holds no bodies."""

import logging
import platform
import sys
import time
from typing import Any, Final

import click

LOG: Final = logging.getLogger("tokenctl")
_LEVELS: Final = {"tokenctl": logging.DEBUG, "botocore.credentials": logging.INFO}
_FORMAT: Final = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"


def enable(ctx: click.Context, _parameter: click.Parameter, on: bool) -> None:  # noqa: FBT001 - click's signature
    """Write the log to standard error until the command ends."""
    root = ctx.find_root()
    if not on or root.meta.get(__name__):
        return
    root.meta[__name__] = True
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_FORMAT))
    for name, level in _LEVELS.items():
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level)
        root.call_on_close(lambda logger=logger: (logger.removeHandler(handler), logger.setLevel(logging.NOTSET)))
    LOG.debug("tokenctl %s: %s, Python %s", version(), root.invoked_subcommand, platform.python_version())


def version() -> str:
    """Return tokenctl's version."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("refresh-token")
    except PackageNotFoundError:  # run from a checkout
        return "(not installed)"


def log_calls(client: Any) -> None:  # noqa: ANN401 - any boto3 client
    """Log each call of a client: service, operation, address, status and duration, but no parameters and no answer."""

    def before(model: Any, context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - botocore's
        context["tokenctl_start"] = time.monotonic()
        LOG.debug("%s %s to %s", model.service_model.service_name, model.name, client.meta.endpoint_url)

    def after(http_response: Any, parsed: Any, model: Any, context: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - as above
        request_id = parsed.get("ResponseMetadata", {}).get("RequestId", "-")
        seconds = time.monotonic() - context.get("tokenctl_start", time.monotonic())
        LOG.debug("%s: HTTP %d in %.2f s, request %s", model.name, http_response.status_code, seconds, request_id)

    client.meta.events.register("before-call", before)
    client.meta.events.register("after-call", after)
