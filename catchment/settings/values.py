"""The kinds of values the settings are made of. Each says in its message what is allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Part(BaseModel):
    """Base of every settings model: frozen, refuses names it does not know, converts nothing silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def not_allowed(message: str, *, field: str | tuple[str, ...] = ()) -> PydanticCustomError:
    """The error a validator raises; the message says what is allowed. A model's validator names the field, or the
    way to a field further down."""
    return PydanticCustomError("not_allowed", "{message}", {"message": message, "field": field})


@dataclass(frozen=True)
class Allowed:
    """Says in words what a value may be, instead of the first rule it breaks.

    Example: ``Annotated[str, Allowed("an e-mail address", r"[^@]+@[^@]+")]``; the pattern has to match all of it.
    """

    what: str
    pattern: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = {**handler(schema), "errorMessage": f"allowed: {self.what}"}
        return found if self.pattern is None else {**found, "pattern": f"^({self.pattern})$"}

    def _check(self, value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            result = validate(value)
        except ValidationError:
            raise not_allowed(f"allowed: {self.what}") from None
        if self.pattern is not None and not re.fullmatch(self.pattern, result):
            raise not_allowed(f"allowed: {self.what}")
        return result


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``, both included. Example: ``Annotated[int, Whole(1, 3600)]``"""

    low: int
    high: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        what = Allowed(f"a whole number from {self.low} to {self.high}")
        number = core_schema.int_schema(ge=self.low, le=self.high, strict=True)
        return core_schema.no_info_wrap_validator_function(what._check, number)


Flag = Annotated[bool, Allowed("true or false")]
"""true or false, never "yes" or 1."""

ColumnName = Annotated[
    str, Allowed("a column's name as it is spelt in the source, 1 to 128 characters", r"[^\x00-\x1f]{1,128}")
]
"""A column, spelt as in the source."""


def no_column_twice(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Validates a list of columns."""
    if len(set(columns)) < len(columns):
        raise not_allowed("allowed: each column once")
    return columns
