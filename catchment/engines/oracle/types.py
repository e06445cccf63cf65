"""What AWS DMS makes of Oracle's types.

Source: AWS DMS User Guide, "Using an Oracle database as a source", source data types; the endpoint's
``NumberDatatypeScale`` is left at its default of 10.
"""

from __future__ import annotations

import re

from catchment.engines.dms_types import DmsType, Form, numeric
from catchment.errors import TypeRefused

_ENGINE = "oracle"
_TRIMMED = "trailing blanks are trimmed"
_EMPTY_LOB = "an empty one becomes NULL"

_PLAIN = {
    "binary_float": DmsType("REAL4", "float"),
    "binary_double": DmsType("REAL8", "double"),
    "real": DmsType("REAL8", "double"),
    "date": DmsType("DATETIME", "timestamp"),
    "timestamp": DmsType("DATETIME", "timestamp", narrows="cut to microseconds"),
    "timestamp with time zone": DmsType("STRING", "string"),
    "timestamp with local time zone": DmsType("STRING", "string"),
    "interval year to month": DmsType("STRING", "string"),
    "interval day to second": DmsType("STRING", "string"),
    "char": DmsType("STRING", "string", Form.TRIMMED, narrows=_TRIMMED),
    "varchar2": DmsType("STRING", "string"),
    "nchar": DmsType("WSTRING", "string", Form.TRIMMED, narrows=_TRIMMED),
    "nvarchar2": DmsType("WSTRING", "string"),
    "raw": DmsType("BYTES", "binary", Form.HEX),
    "blob": DmsType("BLOB", "binary", Form.HEX, narrows=_EMPTY_LOB),
    "long raw": DmsType("BLOB", "binary", Form.HEX),
    "clob": DmsType("CLOB", "string", narrows=_EMPTY_LOB),
    "long": DmsType("CLOB", "string"),
    "xmltype": DmsType("CLOB", "string"),
    "nclob": DmsType("NCLOB", "string", narrows=_EMPTY_LOB),
}
_LARGE = {"varchar2": DmsType("CLOB", "string"), "nvarchar2": DmsType("NCLOB", "string")}
_LONGEST_TEXT = 4000
_REFUSED = dict.fromkeys(
    ("rowid", "urowid", "bfile", "ref", "anydata", "varray"), "DMS does not carry it: the column would always be NULL"
)
_DECLARED = re.compile(
    r"(?P<name>[a-z_0-9]+)\s*(?:\(\s*(?P<first>\d+|\*)[^,)]*(?:,\s*(?P<second>-?\d+)\s*)?\))?(?P<rest>.*)"
)
_PRECISION = re.compile(r"\(\d+\)")
NUMBER_WITHOUT_PRECISION = (38, 10)
"""What NumberDatatypeScale = 10 gives a NUMBER without precision."""


def dms_type(declared: str) -> DmsType:
    """The DMS type of an Oracle column (``NUMBER(12,2)``, ``TIMESTAMP(6) WITH TIME ZONE``).

    Raises TypeRefused for a type that DMS does not carry.

    Example: ``dms_type("NUMBER(4)").delta == "short"``
    """
    match = _DECLARED.fullmatch(declared.strip().lower())
    if match is None:
        raise TypeRefused(_ENGINE, declared, "it is no type of Oracle")
    name, first = match["name"], match["first"]
    if name == "number":
        return _number(first, match["second"])
    if name == "float":
        return DmsType("REAL4", "float") if int(first or 126) <= 24 else DmsType("REAL8", "double")
    if name in _LARGE and int(first or 1) > _LONGEST_TEXT:
        return _LARGE[name]
    plain = " ".join(_PRECISION.sub("", f"{name} {match['rest']}").split())
    if plain not in _PLAIN:
        raise TypeRefused(_ENGINE, declared, _REFUSED.get(name, "DMS does not carry user-defined types"))
    return _PLAIN[plain]


def _number(precision: str | None, scale: str | None) -> DmsType:
    if precision is None:
        return numeric(*NUMBER_WITHOUT_PRECISION, narrows="cut to 10 decimals")
    digits, decimals = 38 if precision == "*" else int(precision), int(scale or 0)
    if decimals < 0:
        return DmsType("REAL8", "double", narrows="beyond 15 digits to the nearest double")
    if decimals > 0:
        return numeric(max(digits, decimals), decimals)
    if digits <= 2:
        return DmsType("INT1", "byte")
    if digits <= 4:
        return DmsType("INT2", "short")
    return DmsType("INT4", "integer") if digits <= 9 else numeric(digits, 0)


DOCUMENTED = (
    "NUMBER(12,2)",
    "NUMBER(38,10)",
    "NUMBER(2)",
    "NUMBER(4)",
    "NUMBER(9)",
    "NUMBER(18)",
    "NUMBER(38)",
    "NUMBER",
    "NUMBER(5,-2)",
    "BINARY_FLOAT",
    "BINARY_DOUBLE",
    "FLOAT(24)",
    "FLOAT(126)",
    "REAL",
    "DATE",
    "TIMESTAMP(6)",
    "TIMESTAMP(6) WITH TIME ZONE",
    "TIMESTAMP(6) WITH LOCAL TIME ZONE",
    "INTERVAL YEAR(2) TO MONTH",
    "INTERVAL DAY(2) TO SECOND(6)",
    "CHAR(4)",
    "VARCHAR2(20)",
    "VARCHAR2(4001)",
    "NCHAR(4)",
    "NVARCHAR2(20)",
    "NVARCHAR2(4001)",
    "RAW(16)",
    "BLOB",
    "LONG RAW",
    "CLOB",
    "LONG",
    "XMLTYPE",
    "NCLOB",
)
"""Every type the guide names, as a column may be declared."""
