"""The form in which DMS delivers a PostgreSQL value, as SQL that the source itself computes.

The session must have TimeZone UTC, DateStyle ISO, IntervalStyle postgres and bytea_output hex: SESSION.
"""

from __future__ import annotations

import re

from catchment.engines.dms_types import DmsType, Form
from catchment.engines.postgresql.types import INFINITY_DATE, INFINITY_TIMESTAMP, UNBOUNDED_VARCHAR_BYTES

SESSION = (
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    "SET bytea_output = 'hex'",
    "SET extra_float_digits = 1",
)
"""Statements that fix how PostgreSQL writes values as text, whatever the server's or the role's settings say."""


_BEFORE_CHRIST = re.compile(r"^(\S+)( .*)? BC$")
_RESPELT = r"\1 (BC)\2"
"""PostgreSQL's years before Christ, respelt the way DuckDB reads them."""


def delivered(column: str, type_: DmsType, declared: str) -> str:
    """An SQL expression for the text of what DMS delivers of a quoted ``column``; intervals as PostgreSQL spells them.

    ``declared`` is the column's base type as ``format_type`` gives it. A bare column means its output function, which
    is not always the cast to text (``inet``, ``boolean``).
    """
    if type_.name == "NUMERIC" and type_.form is Form.MONEY:
        return f"{column}::numeric"
    if type_.name == "NUMERIC":
        return f"CASE WHEN {_finite(column)} THEN trunc({column}, {type_.scale}) END"
    if type_.form is Form.BOOLEAN_WORDS:
        return f"{column}::text"
    if type_.form is Form.TRIMMED:
        return f"rtrim({column}::text, ' ')"
    if type_.name == "DATE":
        return _calendar(column, INFINITY_DATE)
    if type_.name == "DATETIME":
        wall = f"({column} AT TIME ZONE 'UTC')" if declared.endswith("with time zone") else column
        return _calendar(wall, INFINITY_TIMESTAMP)
    if type_.name == "TIME":
        return f"to_char({column}::time, 'HH24:MI:SS.MS')"
    return _cut_bytes(column, UNBOUNDED_VARCHAR_BYTES) if _is_unbounded(type_) else column


def narrowed(column: str, type_: DmsType, declared: str) -> str | None:
    """An SQL condition that holds where DMS delivers less than the source has; None where it never does."""
    if type_.name == "NUMERIC" and type_.form is not Form.MONEY:
        return f"NOT ({_finite(column)}) OR {column} <> trunc({column}, {type_.scale})"
    if type_.name in ("DATE", "DATETIME"):
        return f"NOT isfinite({column})"
    if type_.name == "TIME":
        zoned = " OR TRUE" if declared.endswith("with time zone") else ""
        return f"{column} IS NOT NULL AND ({column}::time <> to_char({column}::time, 'HH24:MI:SS.MS')::time{zoned})"
    if _is_unbounded(type_):
        return f"octet_length({column}) > {UNBOUNDED_VARCHAR_BYTES}"
    return None  # trimmed blanks are no loss: PostgreSQL itself holds those of char(n) to mean nothing


def _is_unbounded(type_: DmsType) -> bool:
    return type_.name == "WSTRING" and type_.length == UNBOUNDED_VARCHAR_BYTES


def _cut_bytes(column: str, most: int) -> str:
    # never inside a character: a byte 10xxxxxx behind the cut belongs to the one before
    octets = f"convert_to({column}, 'UTF8')"
    steps = " ".join(f"WHEN get_byte({octets}, {at}) & 192 <> 128 THEN {at}" for at in range(most, most - 3, -1))
    end = f"CASE {steps} ELSE {most - 3} END"
    return (
        f"CASE WHEN octet_length({column}) > {most}"
        f" THEN convert_from(substring({octets} FROM 1 FOR {end}), 'UTF8') ELSE {column} END"
    )


def _finite(column: str) -> str:
    return f"{column} NOT IN ('NaN', 'Infinity', '-Infinity')"


def _calendar(column: str, infinities: tuple[str, str]) -> str:
    future, past = infinities
    return (
        f"CASE WHEN {column} >= '0001-01-01' AND {column} < 'infinity' THEN {column}::text"
        f" WHEN {column} = 'infinity' THEN '{future}'"
        f" WHEN {column} = '-infinity' THEN '{_BEFORE_CHRIST.sub(_RESPELT, past)}'"
        f" ELSE regexp_replace({column}::text, '{_BEFORE_CHRIST.pattern}', '{_RESPELT}') END"
    )
