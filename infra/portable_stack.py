"""The stack for teams that use neither Python nor our sources: what they can choose are CloudFormation parameters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from aws_cdk import Aws, CfnCondition, CfnParameter, Fn, IStackSynthesizer, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.stack import add_outputs
from infra.stage_settings import SETTINGS, StageSettings
from token_refresher.construct import TokenRefresher
from token_refresher.settings.resource_settings import ARCHITECTURES, LOG_LEVELS, RETENTION_DAYS

_Choices = Mapping[str, tuple[str, dict[str, Any]]]

_FUNCTION: Final[_Choices] = {
    "architecture": ("Architectures.0", {"allowed_values": [*ARCHITECTURES]}),
    "memory_mb": ("MemorySize", {"type": "Number", "min_value": 128, "max_value": 10_240}),
    "log_level": ("Environment.Variables.POWERTOOLS_LOG_LEVEL", {"allowed_values": [*LOG_LEVELS]}),
}
"""Settings of the function: the property of the resource, and the rules that CloudFormation checks."""

_OAUTH2: Final[_Choices] = {
    "oauth2_token_url": (
        "Environment.Variables.OAUTH2_TOKEN_URL",
        {"default": None, "allowed_pattern": r"https://[^/?#@\s]+([/?][^#\s]*)?", "max_length": 130},
    ),
    "oauth2_client_auth": ("Environment.Variables.OAUTH2_CLIENT_AUTH", {"allowed_values": ["basic", "post"]}),
    "oauth2_scope": ("Environment.Variables.OAUTH2_SCOPE", {"default": "", "max_length": 80}),
    "oauth2_default_lifetime_seconds": (
        "Environment.Variables.OAUTH2_DEFAULT_LIFETIME",
        {"type": "Number", "min_value": 60, "max_value": 31_536_000},
    ),
}
"""The same for the issuer `oauth2`. All together must fit into the description of a version, 256 characters."""


class PortableStack(Stack):
    """A `TokenRefresher` without fixed names, so that an account and region can hold several.

    The stack's name is the dimension `service` of the metrics, and the path of the parameters in Parameter Store.
    What is no parameter is as the settings say. `asset` is the function's folder; by default the stack builds it.
    """

    def __init__(  # noqa: PLR0913 (keyword-only)
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        synthesizer: IStackSynthesizer,
        asset: Path | None = None,
        emulator: bool = False,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Keeps an OAuth token pair alive. The issuer is {settings.issuer.name}.",
            synthesizer=synthesizer,
        )
        self._values = settings.values
        self._refresher = refresher = TokenRefresher(
            self,
            "Default",
            issuer=settings.issuer,
            **settings.refresher,
            service_name=Aws.STACK_NAME,
            parameter_path=f"/{Aws.STACK_NAME}",
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            asset=asset,
            emulator=emulator,
        )
        self._let_choose_function({**_FUNCTION, **(_OAUTH2 if settings.issuer.name == "oauth2" else {})})
        self._let_choose_log_retention()
        self._let_choose_email()
        add_outputs(self, refresher)

    def _let_choose_function(self, choices: _Choices) -> None:
        function = cast("lambda_.CfnFunction", self._refresher.function.node.default_child)
        parameters = []
        for key, (place, rules) in choices.items():
            parameter = self._parameter(key, **rules)
            function.add_property_override(place, {"Ref": parameter.logical_id})
            parameters.append(parameter)
        # CloudFormation publishes a version only if a property of the version changes. A new value of a parameter is no
        # change of the template, so without this the alias would stay with the old value.
        version = cast("lambda_.CfnVersion", self._refresher.function.current_version.node.default_child)
        version.description = Fn.join(" ", [parameter.value_as_string for parameter in parameters])

    def _let_choose_log_retention(self) -> None:
        allowed = [*map(str, RETENTION_DAYS)]
        default = str(self._values["log_retention_days"])
        days = self._parameter("log_retention_days", type="Number", allowed_values=allowed, default=default)
        group = cast("logs.CfnLogGroup", self._refresher.function.log_group.node.default_child)
        group.retention_in_days = days.value_as_number

    def _let_choose_email(self) -> None:
        email = self._parameter("alarm_email", default="")
        given = CfnCondition(self, "Subscribes", expression=Fn.condition_not(Fn.condition_equals(email, "")))
        topic = cast("sns.ITopic", self._refresher.topic)
        subscription = sns.CfnSubscription(
            self, "Email", topic_arn=topic.topic_arn, protocol="email", endpoint=email.value_as_string
        )
        subscription.cfn_options.condition = given

    def _parameter(self, key: str, **rules: Any) -> CfnParameter:  # noqa: ANN401 - the arguments of CfnParameter
        """Add the parameter of a setting: `memory_mb` is `MemoryMb`, with the same default."""
        sentences = SETTINGS[key].about.replace("`", "").split(". ")
        about = ". ".join(each for each in sentences if "local" not in each)
        name = "".join(word.capitalize() for word in key.split("_"))
        return CfnParameter(
            self, name, **{"default": self._values[key], "description": f"{about[0].upper()}{about[1:]}.", **rules}
        )
