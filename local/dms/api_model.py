"""Checks requests against botocore's model of DMS, and pages and filters answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from local.dms.faults import DmsFault, invalid_value, not_found

DEFAULT_RECORDS = 100


@cache
def model() -> ServiceModel:
    """botocore's model of the service."""
    return botocore.session.get_session().get_service_model("dms")


def check(action: str, params: Mapping[str, Any]) -> None:
    """Refuse an unknown action, unknown or missing parameters, and values of a wrong type or not in an enumeration.

    Raises DmsFault.
    """
    if action not in model().operation_names:
        raise DmsFault("UnknownOperationException", f"DMS has no operation {action}")
    shape = model().operation_model(action).input_shape
    assert shape is not None, "every DMS operation has an input shape"
    report = ParamValidator().validate(dict(params), shape)
    if report.has_errors():
        raise invalid_value(f"{action}: {report.generate_report()}")
    _check_enumerations(action, dict(params), shape)


def _check_enumerations(path: str, value: Any, shape: Any) -> None:
    if shape.type_name == "structure":
        for name, member in value.items():
            _check_enumerations(f"{path}.{name}", member, shape.members[name])
    elif shape.type_name == "list":
        for member in value:
            _check_enumerations(path, member, shape.member)
    elif shape.type_name == "string" and shape.enum:
        plain = [word.lower().replace("_", "-") for word in shape.enum]
        if value.lower().replace("_", "-") not in plain:
            raise invalid_value(f"{path}: {value!r} is not one of {', '.join(shape.enum)}")


Reader = Callable[[Mapping[str, Any]], Any]


def select(
    records: Sequence[dict[str, Any]], params: Mapping[str, Any], readers: Mapping[str, Reader], noun: str
) -> list[dict[str, Any]]:
    """The records that all Filters accept. ``readers`` give a record's value by filter name.

    Raises DmsFault for a filter that does not exist, and ResourceNotFoundFault when filters leave nothing, like DMS.
    """
    filters = params.get("Filters", [])
    for one in filters:
        if one["Name"] not in readers:
            raise invalid_value(f"filter {one['Name']!r}: known are {', '.join(readers)}")
    found = [r for r in records if all(readers[one["Name"]](r) in one["Values"] for one in filters)]
    if filters and not found:
        raise not_found(f"No {noun} found matching provided filters.")
    return found


def page(records: list[dict[str, Any]], params: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One page of an answer, with the Marker of the next one where there is one."""
    start = int(params.get("Marker") or 0)
    end = start + int(params.get("MaxRecords") or DEFAULT_RECORDS)
    answer: dict[str, Any] = {name: records[start:end]}
    if end < len(records):
        answer["Marker"] = str(end)
    return answer
