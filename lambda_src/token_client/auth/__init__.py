"""Ready-made auth for HTTP libraries: ``token_client.auth.requests``, ``.httpx``, ``.urllib3``.

Each adds ``Authorization: Bearer …``, and when the API answers 401 or 403 reports the token and sends the request once
more with another. A module imports its library, and nothing else does.
"""
