"""Ready-made auth for HTTP libraries: ``token_client.auth.requests``, ``.httpx``, ``.urllib3``.

Each adapter adds the headers that the API wants, mostly ``Authorization: Bearer …``. If the API answers 401 or 403, it
reports the token and sends the request once more with another one. Each module imports its HTTP library, and no other
module does.
"""
