"""The faults of the DMS API."""

from __future__ import annotations


class DmsFault(Exception):
    """An error answer: ``code`` as in the API reference (ResourceNotFoundFault …), ``message`` for the reader."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def not_found(what: str) -> DmsFault:
    """There is no such resource."""
    return DmsFault("ResourceNotFoundFault", what)


def invalid_state(what: str) -> DmsFault:
    """The resource cannot do that now."""
    return DmsFault("InvalidResourceStateFault", what)


def exists_already(what: str) -> DmsFault:
    """The name is taken."""
    return DmsFault("ResourceAlreadyExistsFault", what)


def invalid_value(what: str) -> DmsFault:
    """A parameter has a value that is refused."""
    return DmsFault("InvalidParameterValueException", what)


def invalid_combination(what: str) -> DmsFault:
    """Parameters, or a parameter and the resource's history, do not go together."""
    return DmsFault("InvalidParameterCombinationException", what)
