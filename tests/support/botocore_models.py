"""What botocore knows of AWS's services, read once: each command has its own session, which would read it again."""

from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader
from botocore.session import get_session


def read_once() -> Callable[[object, str], Any]:
    """Return what takes the place of `JSONFileLoader.load_file`: it keeps each file's content."""
    read = cache(JSONFileLoader().load_file)
    return lambda _, path: read(path)


def modelled_errors(service: str, operation: str) -> list[str]:
    """Return the errors that botocore's model of a service lists for an operation."""
    model = get_session().get_service_model(service).operation_model(operation)
    return [shape.name for shape in model.error_shapes]
