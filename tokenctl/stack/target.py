"""What a command works on: the stack of one stage, or a function that the operator named."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from tokenctl.errors import ConfigurationError
from tokenctl.stack.aws_access import AwsAccess
from tokenctl.stack.aws_errors import translate_aws_errors

STACK_PREFIX: Final = "RefreshToken-"


@dataclass(frozen=True, kw_only=True)
class Target:
    """The stack of a stage, and how to reach it."""

    aws: AwsAccess
    stage: str = "dev"
    named_function: str | None = None
    """The value of --function-name."""

    @property
    def stack_name(self) -> str:
        """The name of the CloudFormation stack."""
        return f"{STACK_PREFIX}{self.stage}"

    @property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs; raises as `description`."""
        return {output["OutputKey"]: output["OutputValue"] for output in self.description.get("Outputs", ())}

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """What CloudFormation says about the stack.

        Raises:
            ConfigurationError: there is no such stack.
            ServiceError: CloudFormation answered with another error.

        """
        from botocore.exceptions import ClientError

        cloudformation = self.aws.client("cloudformation")
        with translate_aws_errors():
            try:
                stacks = cloudformation.describe_stacks(StackName=self.stack_name)["Stacks"]
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationError":
                    raise
                stacks = []
        if not stacks:
            raise ConfigurationError(
                f"There is no stack {self.stack_name} in {self.aws.session.region_name}. Deploy it with "
                f"`cdk deploy -c stage={self.stage}`, or name another with --stage, --region or --profile."
            )
        described: Mapping[str, Any] = stacks[0]
        return described

    @property
    def function_name(self) -> str:
        """The name or ARN of the refresh function."""
        return self.named_function or self.output("FunctionName")

    @property
    def function_name_secrets(self) -> tuple[str, ...]:
        """The value of --function-name, if given. Lambda repeats it in errors, and it may be a misplaced token."""
        return () if self.named_function is None else (self.named_function,)

    @property
    def secret_arn(self) -> str:
        """The ARN of the secret that holds the token pair."""
        return self.output("SecretArn")

    def output(self, key: str) -> str:
        """Return an output of the stack; raises ConfigurationError if it is missing."""
        if key not in self.outputs:
            raise ConfigurationError(
                f"The stack {self.stack_name} has no output {key}: its deployment is not complete. Deploy it again."
            )
        return self.outputs[key]
