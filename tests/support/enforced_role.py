"""Holds every call of a function in this process against a role."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from refresh_token.adapters import aws_clients
from tests.support.function_environment import forget_clients
from tests.support.iam import Role


@contextmanager
def enforced(role: Role) -> Iterator[None]:
    """Hold every call of the function against the role."""
    session: Any = aws_clients.session()
    forget_clients()
    session.register("before-call", role.answer, unique_id="role")
    try:
        yield
    finally:
        session.unregister("before-call", role.answer, unique_id="role")
        forget_clients()
