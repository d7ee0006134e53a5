"""What botocore knows of AWS's services, read once: each command has its own session, which would read it again."""

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader, Loader
from botocore.session import get_session


def kept_models() -> list[tuple[type, str, Any]]:
    """Return methods that keep each file and each list of services: the class, the name, and what takes its place."""
    read, list_services = cache(JSONFileLoader().load_file), Loader.list_available_services
    lists: dict[tuple[str, ...], list[str]] = {}

    def list_once(loader: Loader, type_name: str) -> list[str]:
        key = (type_name, *loader.search_paths)
        if key not in lists:
            lists[key] = list_services(loader, type_name)
        return [*lists[key]]

    return [
        (JSONFileLoader, "load_file", lambda _, path: read(path)),
        (Loader, "list_available_services", list_once),
    ]


def modelled_errors(service: str, operation: str) -> list[str]:
    """Return the errors that botocore's model of a service lists for an operation."""
    model = get_session().get_service_model(service).operation_model(operation)
    return [shape.name for shape in model.error_shapes]
