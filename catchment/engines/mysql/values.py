"""The form in which DMS delivers a MySQL value, as SQL that the source itself computes. The session is SESSION."""

from __future__ import annotations

from catchment.engines.dms_types import DmsType, Form

SESSION = (
    "SET SESSION time_zone = '+00:00'",
    # A backslash escapes in literals, and zero dates may be asked about.
    "SET SESSION sql_mode = ''",
    "SET NAMES utf8mb4",
)
"""Statements that fix how MySQL reads literals and writes values, whatever the server's settings say."""

_DATES = ("date", "datetime", "timestamp")
_FLOATS = ("float", "double")
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json")


def delivered(column: str, type_: DmsType, declared: str) -> str:
    """An SQL expression for the text of what DMS delivers of a quoted ``column``, bytes as ``\\x`` and digits.

    ``declared`` is the column's COLUMN_TYPE.
    """
    name = _name(declared)
    if name == "bit":
        return f"LPAD(HEX({column} + 0), 16, '0')" if type_.form is Form.HEX else f"{column} + 0"
    if type_.form is Form.HEX:
        return f"HEX({column})"
    if name in _DATES:
        return f"CASE WHEN NOT ({_zero(column)}) THEN {column} END"
    if name in _FLOATS:
        # A float alone is written with six digits, and a double as the nearest one reads.
        return f"({column} + 0e0)"
    return column


def narrowed(column: str, declared: str) -> str | None:
    """An SQL condition that holds where DMS delivers less than the source has; None where it never does."""
    return _zero(column) if _name(declared) in _DATES else None


def line(column: str, type_: DmsType, declared: str) -> str:
    """The column as a field of a line of COPY's text format."""
    value = delivered(column, type_, declared)
    if type_.form is Form.HEX:
        return f"COALESCE(CONCAT('\\\\\\\\x', {value}), '\\\\N')"
    if _name(declared) in _TEXTS:
        value = f"CONVERT({value} USING utf8mb4)"
        for letter, escape in (("\\\\", "\\\\\\\\"), ("\\t", "\\\\t"), ("\\n", "\\\\n"), ("\\r", "\\\\r")):
            value = f"REPLACE({value}, '{letter}', '{escape}')"
    return f"COALESCE({value}, '\\\\N')"


def _zero(column: str) -> str:
    """Where a year, month or day is zero; a time that is no date in any other database either."""
    return f"YEAR({column}) = 0 OR MONTH({column}) = 0 OR DAYOFMONTH({column}) = 0"


def _name(declared: str) -> str:
    return declared.lower().split("(")[0].split(" ")[0]
