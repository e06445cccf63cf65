"""The form in which DMS delivers a SQL Server value, as SQL that the source itself computes."""

from __future__ import annotations

from catchment.engines.dms_types import DmsType, Form

# Styles of CONVERT: the guide's "Date and time styles" and "float and real styles" (3 is lossless).
_STYLES = {
    "money": "CONVERT(nvarchar(50), {0}, 2)",
    "smallmoney": "CONVERT(nvarchar(50), {0}, 2)",
    "real": "CONVERT(nvarchar(50), {0}, 3)",
    "float": "CONVERT(nvarchar(50), {0}, 3)",
    "date": "CONVERT(nvarchar(10), {0}, 23)",
    # Cut, where a cast to fewer digits would round.
    "time": "LEFT(CONVERT(nvarchar(16), CAST({0} AS time(7)), 121), 12)",
    "datetime": "CONVERT(nvarchar(23), {0}, 121)",
    "smalldatetime": "CONVERT(nvarchar(19), {0}, 120)",
    "datetime2": "LEFT(CONVERT(nvarchar(27), CAST({0} AS datetime2(7)), 121), 26)",
    "datetimeoffset": "CONVERT(nvarchar(34), {0}, 121)",
    "uniqueidentifier": "CONVERT(nvarchar(36), {0})",
    "hierarchyid": "{0}.ToString()",
    "geometry": "{0}.STAsText()",
    "geography": "{0}.STAsText()",
}
_TEXTS = ("char", "varchar", "nchar", "nvarchar", "text", "ntext", "xml", "hierarchyid", "geometry", "geography")


def delivered(column: str, type_: DmsType, declared: str) -> str:
    """An SQL expression for the text of what DMS delivers of a quoted ``column``, bytes as hexadecimal digits."""
    name = declared.split("(")[0]
    if type_.form is Form.HEX:
        return f"CONVERT(nvarchar(max), CAST({column} AS varbinary(max)), 2)"
    if name in _STYLES:
        return _STYLES[name].format(column)
    if name in _TEXTS:
        text = f"CAST({column} AS nvarchar(max))"
        return f"RTRIM({text})" if type_.form is Form.TRIMMED else text
    return f"CONVERT(nvarchar(50), {column})"


def narrowed(column: str, declared: str) -> str | None:
    """An SQL condition that holds where DMS delivers less than the source has; None where it never does."""
    match declared.split("(")[0]:
        case "time":
            return f"DATEPART(nanosecond, {column}) % 1000000 <> 0"
        case "datetime2":
            return f"DATEPART(nanosecond, {column}) % 1000 <> 0"
        case _:
            return None  # trimmed blanks are no loss: SQL Server holds those of char(n) to mean nothing


def line(column: str, type_: DmsType, declared: str) -> str:
    """The column as a field of a line of COPY's text format."""
    value = delivered(column, type_, declared)
    if type_.form is Form.HEX:
        value = f"N'\\\\x' + {value}"
    elif declared.split("(")[0] in _TEXTS:
        for letter, escape in (("N'\\'", r"\\"), ("NCHAR(9)", r"\t"), ("NCHAR(10)", r"\n"), ("NCHAR(13)", r"\r")):
            value = f"REPLACE({value}, {letter}, N'{escape}')"
    return f"COALESCE({value}, N'\\N')"
