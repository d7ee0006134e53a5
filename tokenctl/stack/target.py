"""What a command works on: a stack with our outputs, or the deployment of a function."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from refresh_token.environment import CONNECTIONS_TABLE, SECRET_ARN
from refresh_token.fleet.settings import CONNECTIONS_KEY, CONNECTIONS_QUEUE_URL
from refresh_token.oauth.variables import APP_SECRET_ARN
from refresh_token.signals import STACK_PREFIX
from tokenctl.errors import ConfigurationError, TokenctlError, UsageError
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.aws_errors import translate_aws_errors
from tokenctl.stack.described_stack import describe_stack
from tokenctl.stack.once import Once
from tokenctl.stack.stages import may_be_token

DEFAULT_STAGE: Final = "dev"

LIVE: Final = "live"
"""The alias that consumers and the schedule call."""

_FUNCTION_NAME: Final = re.compile(r"(?:.*:function:|[0-9]{12}:)?([^:]*)(?::([^:]*))?")
"""A function's name, alone, after an account or in an ARN, with or without a qualifier."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One deployment, and how to reach it. Secrets and settings all come from that deployment."""

    aws: AwsAccess
    given_stage: str | None = None
    """The value of --stage or, without another option that names a deployment, of TOKENCTL_STAGE."""

    named_stack: str | None = None
    """The value of --stack-name."""

    named_function: str | None = None
    """The value of --function-name, or what the other two options led to, unless it is a stack of ours."""

    fleet_function: str | None = None
    """The alias that consumers of a fleet ask, if that fleet stands alone in the stack of another app."""

    found_by: str = ""
    """The option that led to the deployment, with its value, if AWS knows that value."""

    @property
    def stage(self) -> str:
        """The stage, if the operator named no function."""
        return self.given_stage or DEFAULT_STAGE

    @property
    def option(self) -> str:
        """The options to repeat in the command that a message names."""
        return self.stack_option

    @property
    def stack_option(self) -> str:
        """The one that names the deployment. A name may be a misplaced token."""
        if self.found_by:
            return self.found_by
        if self.named_function is not None:
            return "--function-name <function>"
        return "--stage <stage>" if may_be_token(self.stage) and not self._exists else f"--stage {self.stage}"

    @property
    def _exists(self) -> bool:
        """Whether AWS knows the stack."""
        try:
            return bool(self.description)
        except TokenctlError:
            return False

    @property
    def stack_name(self) -> str:
        """The name of the CloudFormation stack; of a named function, its name."""
        if self.named_function is None:
            return self._named_or_of_stage
        return str(self.function_configuration["FunctionName"])

    @property
    def _named_or_of_stage(self) -> str:
        return self.named_stack or f"{STACK_PREFIX}{self.stage}"

    @property
    def label(self) -> str:
        """The deployment in a sentence."""
        return f"{'stack' if self.named_function is None else 'deployment of'} {self.stack_name}"

    @Once
    def description(self) -> Mapping[str, Any]:
        """What CloudFormation says about the stack; raises as `describe_stack`."""
        return describe_stack(self.aws, self.stage, self.named_stack)

    @property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs; raises as `description`. Those of a fleet that stands alone are what ours would be."""
        if self.fleet_function is not None:
            return self._outputs_of_fleet
        return {output["OutputKey"]: output["OutputValue"] for output in self.description.get("Outputs", ())}

    @Once
    def _outputs_of_fleet(self) -> Mapping[str, str]:
        variables = Target(aws=self.aws, named_function=self.fleet_function, found_by=self.option).function_variables
        names = {"TableName": CONNECTIONS_TABLE, "KeyArn": CONNECTIONS_KEY, "QueueUrl": CONNECTIONS_QUEUE_URL}
        found = {f"Connections{output}": variables[name] for output, name in names.items() if name in variables}
        return {"ConnectionsFunctionArn": str(self.fleet_function), **found}

    @property
    def function_name(self) -> str:
        """The name or ARN of the refresh function."""
        return self.named_function or self.output("FunctionName")

    @property
    def qualifier(self) -> str | None:
        """The alias to invoke; None if --function-name names an alias or a version itself."""
        match = _FUNCTION_NAME.fullmatch(self.named_function or "")
        return None if match and match[2] else LIVE

    @property
    def function_name_secrets(self) -> tuple[str, ...]:
        """The value of --function-name, if given. Lambda repeats it in errors, and it may be a misplaced token."""
        return () if self.named_function is None else (self.named_function,)

    @Once
    def function_configuration(self) -> dict[str, Any]:
        """The answer of GetFunctionConfiguration for what consumers call: the alias or, if it is gone, the function.

        Raises:
            UsageError: --stage and --function-name name different deployments.
            ServiceError, ConfigurationError: it cannot be read.

        """
        if None not in {self.given_stage, self.named_function} and _name(self.output("FunctionName")) != _name(
            str(self.named_function)
        ):
            raise UsageError(
                f"--function-name is not the function of {STACK_PREFIX}{self.stage}. Give only one of --stage and "
                "--function-name."
            )
        client = self.aws.client("lambda")
        with translate_aws_errors(self.function_name_secrets):
            return self._configuration(client)

    def _configuration(self, client: Any) -> dict[str, Any]:  # noqa: ANN401 - a boto3 client
        from botocore.exceptions import ClientError

        name, configuration = self.function_name, dict[str, Any]()
        if self.qualifier is not None:
            try:
                configuration = client.get_function_configuration(FunctionName=name, Qualifier=self.qualifier)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
        return configuration or dict(client.get_function_configuration(FunctionName=name))

    @property
    def function_variables(self) -> Mapping[str, str]:
        """The function's environment variables; raises as `function_configuration`."""
        variables: Mapping[str, str] = self.function_configuration.get("Environment", {}).get("Variables", {})
        return variables

    @property
    def secret_arn(self) -> str:
        """The ARN of the secret that holds the token pair."""
        if self.named_function is None:
            return self.output("SecretArn")
        if SECRET_ARN not in self.function_variables:
            raise ConfigurationError(
                f"The function that you named has no variable {SECRET_ARN}, so it is not a refresh function. Check "
                f"{self.found_by or '--function-name'}."
            )
        return self.function_variables[SECRET_ARN]

    @property
    def app_secret_arn(self) -> str | None:
        """The ARN of the secret with the app's credentials; None if the deployment has none."""
        if self.named_function is None:
            return self.outputs.get("AppSecretArn")
        return self.function_variables.get(APP_SECRET_ARN)

    def output(self, key: str) -> str:
        """Return an output of the stack; raises ConfigurationError if it is missing."""
        if key not in self.outputs:
            raise ConfigurationError(
                f"The stack {self._named_or_of_stage} has no output {key}. Either its deployment is not complete, or "
                "it is a stack of your own: then name its refresh function with --function-name."
            )
        return self.outputs[key]


def _name(function: str) -> str:
    match = _FUNCTION_NAME.fullmatch(function)
    return match[1] if match else function
