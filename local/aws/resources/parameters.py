"""CloudFormation properties as the parameters of an API call, checked against botocore's model of the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of a service, such as ``dms``."""
    return botocore.session.get_session().get_service_model(service)


def api_parameters(service: str, operation: str, properties: dict[str, Any], path: str = "") -> dict[str, Any]:
    """``properties`` in the spelling and the types of ``operation``'s input.

    CloudFormation writes some names in another case (PostgreSqlSettings, API: PostgreSQLSettings) and numbers and
    truth values as text. Raises ValueError naming a property the operation does not know.
    """
    shape = service_model(service).operation_model(operation).input_shape
    assert shape is not None, f"{operation} takes no parameters"
    converted: dict[str, Any] = _convert(properties, shape, path or operation)
    return converted


def _convert(value: Any, shape: Shape, path: str) -> Any:
    return _CONVERT.get(shape.type_name, _as_it_is)(value, shape, path)


def _structure(value: Any, shape: Any, path: str) -> Any:
    names = {name.lower(): name for name in shape.members}
    converted = {}
    for key, member in value.items():
        name = names.get(key.lower())
        if name is None:
            raise ValueError(f"{path}.{key} is not known to the service; it knows {', '.join(sorted(shape.members))}")
        converted[name] = _convert(member, shape.members[name], f"{path}.{name}")
    return converted


def _list(value: Any, shape: Any, path: str) -> Any:
    return [_convert(member, shape.member, f"{path}[{index}]") for index, member in enumerate(value)]


def _boolean(value: Any, _shape: Any, path: str) -> bool:
    if value in (True, False, "true", "false", "True", "False"):
        return str(value).lower() == "true"
    raise ValueError(f"{path}: {value!r} is neither true nor false")


def _integer(value: Any, _shape: Any, path: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {value!r} is not a whole number") from error


def _string(value: Any, _shape: Any, _path: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _as_it_is(value: Any, _shape: Any, _path: str) -> Any:
    return value


_CONVERT: dict[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "string": _string,
}
