"""How tokenctl reaches AWS: the session, its settings, and one client for each service.

boto3 is imported on first use, because it would slow down `--help` and shell completion.
"""

import os
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tokenctl.errors import ConfigurationError, TokenctlError, UsageError
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.aws_settings import require_valid_settings
from tokenctl.stack.credentials import CHECK_CONFIGURATION, require_credentials
from tokenctl.stack.debug_log import log_calls
from tokenctl.stack.once import Once

if TYPE_CHECKING:
    import boto3

_INVALID_ENDPOINT: Final = "Invalid endpoint"
"""How botocore's message about an unusable address begins."""


@dataclass(frozen=True, kw_only=True)
class AwsAccess:
    """The operator's settings for AWS calls; None leaves one to the AWS configuration files and variables."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    ca_bundle: str | None = None
    connect_timeout: int | None = None
    """Seconds; 0 means no limit, as in the AWS CLI."""
    read_timeout: int | None = None
    """Seconds; 0 means no limit."""
    sign: bool = True
    closing: ExitStack = field(default_factory=ExitStack, repr=False, compare=False)
    """Closes the clients when it is closed."""
    # `init=False`: `dataclasses.replace` must not copy clients that were made for other settings.
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _lock: Any = field(default_factory=RLock, init=False, repr=False, compare=False)

    @Once
    def session(self) -> "boto3.Session":
        """The session; raises ConfigurationError if the profile does not exist, or has a setting that is not valid."""
        import boto3
        from botocore.configprovider import ConstantProvider
        from botocore.session import Session

        # Unlike boto3, the AWS CLI v2 reads AWS_REGION before AWS_DEFAULT_REGION, and AWS_PROFILE before
        # AWS_DEFAULT_PROFILE. Exported keys win over AWS_PROFILE, but not over --profile. An empty region is one: it
        # does not choose the region of the next source.
        variables = {
            "profile": (None, ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"], None, None),
            "region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None),
        }
        with translate_aws_errors():
            core = Session(session_vars=variables, profile=self.profile)
            session = boto3.Session(botocore_session=core, region_name=self.region)
            require_valid_settings(core.get_scoped_config())
            # botocore takes an empty setting for the name of a bundle; the AWS CLI v2 then stops checking certificates.
            bundle = os.environ.get("AWS_CA_BUNDLE") or core.get_scoped_config().get("ca_bundle") or None
            core.get_component("config_store").set_config_provider("ca_bundle", ConstantProvider(bundle))
        return session

    @property
    def trusted_bundle(self) -> str | None:
        """The CA bundle that AWS calls use instead of the default: --ca-bundle, AWS_CA_BUNDLE or the profile's."""
        with translate_aws_errors():
            configured: str | None = self.session._session.get_config_variable("ca_bundle")  # noqa: SLF001 - boto3 does not expose it
        return self.ca_bundle or configured

    @property
    def configured_output(self) -> str | None:
        """The output format that AWS_DEFAULT_OUTPUT or the profile sets."""
        with translate_aws_errors():
            profile = self.session._session.get_scoped_config()  # noqa: SLF001 - boto3 does not expose it
        return os.environ.get("AWS_DEFAULT_OUTPUT") or profile.get("output") or None

    def client(self, service: str, **settings: Any) -> Any:  # noqa: ANN401 - the caller names the type of client
        """Return the client of a service; the operator's settings override `settings`, which are botocore's Config.

        Each client is made once: `status --watch` would otherwise fill the memory.

        Raises:
            ConfigurationError: for instance, no region is set.

        """
        key = service, repr(sorted(settings.items()))
        with self._lock:  # making a client is not safe between threads, using one is
            if key not in self._clients:
                self._clients[key] = self._new_client(service, settings)
        return self._clients[key]

    def _new_client(self, service: str, settings: dict[str, Any]) -> Any:  # noqa: ANN401 - the caller names the type of client
        from botocore import UNSIGNED
        from botocore.config import Config

        for name, seconds in (("connect_timeout", self.connect_timeout), ("read_timeout", self.read_timeout)):
            if seconds is not None:
                settings[name] = seconds or None
        if not self.sign:
            settings["signature_version"] = UNSIGNED
        make: Any = self.session.client
        try:
            with translate_aws_errors():
                if self.sign:
                    require_credentials(self.session)
                client = make(service, endpoint_url=self.endpoint_url, verify=self.ca_bundle, config=Config(**settings))
        except (ValueError, AttributeError, TypeError) as error:  # such as a setting that should be a section
            fault = str(error)  # never shown: it holds an address, or the output of a credential process
        else:
            self.closing.callback(client.close)
            if is_http_address(client.meta.endpoint_url):
                log_calls(client)
                return client
            fault = _INVALID_ENDPOINT
        if fault.startswith(_INVALID_ENDPOINT):
            raise self._invalid_endpoint()
        raise ConfigurationError(f"The AWS credentials or settings cannot be read. {CHECK_CONFIGURATION}")

    def _invalid_endpoint(self) -> TokenctlError:
        if self.endpoint_url is not None:
            return UsageError("The host name in --endpoint-url is not valid. Correct it.")
        if not self.session.region_name:
            return ConfigurationError("The AWS region is empty. Give --region, or set AWS_REGION or AWS_PROFILE.")
        return ConfigurationError(
            "The endpoint address in AWS_ENDPOINT_URL or in the AWS configuration is not valid. Correct it, or give "
            "--endpoint-url."
        )


def is_http_address(text: str) -> bool:
    """Tell whether `text` is an http or https address with a host and, if it has a port, a valid one."""
    try:
        address = urlsplit(text)
        _ = address.port  # raises ValueError if the port is out of range
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.hostname) and not re.search(r"\s", text)
