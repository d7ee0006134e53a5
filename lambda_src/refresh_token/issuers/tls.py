"""What the function checks an issuer's certificate with."""

import os
import ssl

from botocore.httpsession import where as botocore_bundle

from refresh_token.errors import ConfigurationException
from refresh_token.oauth.trust import tls_context


def function_tls_context() -> ssl.SSLContext:
    """Return a context that trusts AWS_CA_BUNDLE, as botocore does; else the runtime's authorities, else botocore's.

    AWS keeps the runtime's authorities up to date.

    Raises:
        ConfigurationException: the file that AWS_CA_BUNDLE names cannot be used.

    """
    try:
        return tls_context(os.environ.get("AWS_CA_BUNDLE"), botocore_bundle)
    except (OSError, ValueError):
        pass
    raise ConfigurationException(
        "The certificate authorities in the file that AWS_CA_BUNDLE names cannot be read. Check the variable and the "
        "file, then deploy the stack again."
    )
