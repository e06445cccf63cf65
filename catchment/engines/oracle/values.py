"""The form in which DMS delivers an Oracle value, as SQL that the source itself computes."""

from __future__ import annotations

from catchment.engines.dms_types import DmsType, Form
from catchment.engines.oracle.types import NUMBER_WITHOUT_PRECISION

_POINT = "'NLS_NUMERIC_CHARACTERS=''.,'''"
_TEXTS = ("char", "varchar2", "nchar", "nvarchar2", "clob", "nclob", "xmltype")


def delivered(column: str, type_: DmsType, declared: str) -> str:
    """An SQL expression for the text of what DMS delivers of a quoted ``column``, bytes as hexadecimal digits."""
    said = declared.lower()
    name = _name(said)
    if type_.form is Form.HEX:
        return f"RAWTOHEX({column})"
    if name == "date":
        return f"TO_CHAR({column}, 'YYYY-MM-DD HH24:MI:SS')"
    if name == "timestamp" and "zone" in said:
        return f"TO_CHAR({column}, 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')"
    if name == "timestamp":
        # cut, where a format of six digits might round
        return f"SUBSTR(TO_CHAR({column}, 'YYYY-MM-DD HH24:MI:SS.FF9'), 1, 26)"
    if name in _TEXTS:
        text = f"XMLTYPE.GETCLOBVAL({column})" if name == "xmltype" else column
        return f"RTRIM({text})" if type_.form is Form.TRIMMED else text
    if name == "interval":
        return f"TO_CHAR({column})"
    number = f"TRUNC({column}, {NUMBER_WITHOUT_PRECISION[1]})" if type_.narrows and type_.name == "NUMERIC" else column
    return f"TO_CHAR({number}, 'TM9', {_POINT})"


def narrowed(column: str, type_: DmsType, declared: str) -> str | None:
    """An SQL condition that holds where DMS delivers less than the source has; None where it never does."""
    name = _name(declared.lower())
    if name == "number" and type_.narrows and type_.name == "NUMERIC":
        return f"{column} <> TRUNC({column}, {NUMBER_WITHOUT_PRECISION[1]})"
    if name in ("clob", "nclob"):
        return f"DBMS_LOB.GETLENGTH({column}) = 0"
    if name == "timestamp" and type_.narrows:
        return f"SUBSTR(TO_CHAR({column}, 'FF9'), 7) <> '000'"
    return None


def line(column: str, type_: DmsType, declared: str) -> str:
    """The column as a field of a line of COPY's text format; an empty text is NULL, as all of Oracle holds it."""
    value = delivered(column, type_, declared)
    if type_.form is Form.HEX:
        value = f"CASE WHEN {column} IS NOT NULL THEN '\\\\x' || {value} END"
    elif _name(declared.lower()) in _TEXTS:
        for letter, escape in (("'\\'", r"\\"), ("CHR(9)", r"\t"), ("CHR(10)", r"\n"), ("CHR(13)", r"\r")):
            value = f"REPLACE({value}, {letter}, '{escape}')"
        if type_.is_lob:
            return f"CASE WHEN DBMS_LOB.GETLENGTH({value}) > 0 THEN {value} ELSE TO_CLOB('\\N') END"
    return f"NVL({value}, '\\N')"


def _name(declared: str) -> str:
    return declared.split("(")[0].split(" ")[0]
