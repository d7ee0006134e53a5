"""What counts as text in a token, an id or a credential."""


def is_text(value: object) -> bool:
    """Tell whether ``value`` is a non-blank string that can be sent: lone surrogates cannot be encoded."""
    if not isinstance(value, str) or not value.strip():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
