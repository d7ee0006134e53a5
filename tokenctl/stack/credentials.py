"""Finding the operator's AWS credentials, and what to do if there are none or their session has ended."""

import os
import shlex
from typing import TYPE_CHECKING, Final

from tokenctl.errors import ConfigurationError, ServiceError

if TYPE_CHECKING:
    import boto3

CHECK_CONFIGURATION: Final = "Check AWS_PROFILE, --profile and your AWS configuration files."

_SSO_ENDED: Final = (
    "You are not signed in to AWS IAM Identity Center, or that sign-in has expired. Run `aws sso login{}`."
)
_LOGIN_ENDED: Final = "You are not signed in with `aws login`, or that sign-in has expired. Run `aws login{}`."
_FAULTS: Final = {
    "SSOError": _SSO_ENDED,
    "TokenRetrievalError": _SSO_ENDED,
    "LoginInsufficientPermissions": "Your AWS identity may not use `aws login`. Ask for the policy "
    "SignInLocalDevelopmentAccess, or use another --profile.",
    "LoginError": _LOGIN_ENDED,
    "MissingDependencyException": "The profile needs the package awscrt. Install it with `pip install "
    "'botocore[crt]'`.",
    "RefreshWithMFAUnsupportedError": "The session that the MFA code opened has ended. Run the command again.",
    "MetadataRetrievalError": "The service that holds the credentials of this machine or container did not answer. "
    "Check its role, AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, or set "
    "AWS_PROFILE.",
}
"""By the name of botocore's error or of an ancestor; `{}` stands for ` --profile NAME`."""

_FAULTS_BY_PROVIDER: Final = {
    "custom-process": "The credential_process of the profile failed. Run that program yourself to see why.",
    **dict.fromkeys(("container-role", "EcsContainer", "Ec2InstanceMetadata"), _FAULTS["MetadataRetrievalError"]),
}
"""CredentialRetrievalError comes from many sources. botocore's message repeats what the source said."""

_NONE: Final = (
    "There are no AWS credentials. Run `aws configure sso` or `aws configure` and give --profile or AWS_PROFILE, or "
    "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
)
_NO_MFA_CODE: Final = (
    "The profile needs the code of an MFA device, and nobody can type it here. Run the command on a terminal, or "
    "export the keys of a session."
)
_UNREADABLE: Final = f"The AWS credentials or settings cannot be read. {CHECK_CONFIGURATION}"
_ROLE: Final = (
    "The profile's role cannot be used. Check role_arn, source_profile, external_id and mfa_serial in the AWS "
    "configuration files."
)


def require_credentials(session: "boto3.Session") -> None:
    """Find the credentials, which may assume a role, run a program or ask for an MFA code.

    Raises:
        ConfigurationError: there are none, or their source cannot give them. The message names the command that helps,
            and nothing that the source said.
        ServiceError: AWS refuses the profile's role.

    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = session.get_credentials()
        if found is not None:
            found.get_frozen_credentials()  # renews them if they have expired
            return
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        fault = ServiceError.in_aws_words(code, error.operation_name, "", expired_hint(code) or _ROLE)
        raise fault from None
    except BotoCoreError as error:
        message = credential_fault(error, _profile_option(session))
        if message is None:
            raise
        raise ConfigurationError(message) from None
    except EOFError:
        raise ConfigurationError(_NO_MFA_CODE) from None
    except (OSError, ValueError, KeyError):  # a program that is missing or prints nonsense, a broken cache
        raise ConfigurationError(_UNREADABLE) from None
    raise ConfigurationError(_NONE)


def credential_fault(error: Exception, profile_option: str = "") -> str | None:
    """Return the message about an error of botocore's; None if the error is not about credentials."""
    from botocore.exceptions import CredentialRetrievalError

    if isinstance(error, CredentialRetrievalError):
        return _FAULTS_BY_PROVIDER.get(str(error.kwargs.get("provider")), _UNREADABLE)
    names = (ancestor.__name__ for ancestor in type(error).__mro__)
    found = next((_FAULTS[name] for name in names if name in _FAULTS), None)
    return found and found.format(profile_option)


def expired_hint(code: str) -> str:
    """Return what to do about an AWS session that has ended; "" if `code`, of a service's error, means another."""
    if not code.startswith("ExpiredToken"):
        return ""
    if os.environ.get("AWS_SESSION_TOKEN"):
        return (
            "The exported AWS session has ended. Export new keys, or unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY "
            "and AWS_SESSION_TOKEN to use a profile."
        )
    return "The AWS session has ended. Sign in to AWS again, or assume the role again."


def _profile_option(session: "boto3.Session") -> str:
    """Return ` --profile NAME` if a profile was chosen. It exists, so it is not a misplaced value."""
    profile = session._session.profile  # noqa: SLF001 - boto3 says `default` if none was chosen
    return f" --profile {shlex.quote(profile)}" if profile else ""
