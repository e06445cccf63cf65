"""What AWS DMS makes of the types of MySQL and MariaDB.

Source: AWS DMS User Guide, "Using a MySQL-compatible database as a source", source data types.
"""

from __future__ import annotations

import re

from catchment.engines.dms_types import DmsType, Form, numeric
from catchment.errors import TypeRefused

_ENGINE = "mysql"
_ZERO_DATES = "zero dates become NULL"

_INTEGERS = {
    "tinyint": (DmsType("INT1", "byte"), DmsType("UINT1", "short")),
    "smallint": (DmsType("INT2", "short"), DmsType("UINT2", "integer")),
    "mediumint": (DmsType("INT4", "integer"), DmsType("UINT4", "long")),
    "int": (DmsType("INT4", "integer"), DmsType("UINT4", "long")),
    "bigint": (DmsType("INT8", "long"), DmsType("UINT8", "decimal(20,0)")),
}
"""Signed and unsigned. ``tinyint(1)``, which MySQL calls boolean, is a number like the others."""

_PLAIN = {
    "float": DmsType("REAL8", "double"),
    "double": DmsType("REAL8", "double"),
    "date": DmsType("DATE", "date", narrows=_ZERO_DATES),
    "datetime": DmsType("DATETIME", "timestamp", narrows=_ZERO_DATES),
    "timestamp": DmsType("DATETIME", "timestamp", narrows=_ZERO_DATES),
    "time": DmsType("STRING", "string"),
    "year": DmsType("INT2", "short"),
    "json": DmsType("CLOB", "string"),
    "enum": DmsType("WSTRING", "string"),
    "set": DmsType("WSTRING", "string"),
    **{name: DmsType("WSTRING", "string") for name in ("char", "varchar", "tinytext", "text")},
    **{name: DmsType("NCLOB", "string") for name in ("mediumtext", "longtext")},
    **{name: DmsType("BYTES", "binary", Form.HEX) for name in ("binary", "varbinary", "tinyblob", "blob")},
    **{name: DmsType("BLOB", "binary", Form.HEX) for name in ("mediumblob", "longblob")},
    **{
        name: DmsType("BLOB", "binary", Form.HEX)
        for name in ("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon")
    },
    "geometrycollection": DmsType("BLOB", "binary", Form.HEX),
}
_SPELLINGS = {"integer": "int", "dec": "decimal", "numeric": "decimal", "boolean": "tinyint", "bool": "tinyint"}
_DECLARED = re.compile(r"(?P<name>[a-z]+)(?: precision)?\s*(?:\((?P<arguments>.*)\))?(?P<rest>[a-z ]*)", re.DOTALL)
_UNSAID = "what DMS writes for it is documented nowhere"


def dms_type(declared: str) -> DmsType:
    """The DMS type of a MySQL column; ``declared`` is its COLUMN_TYPE (``int unsigned``, ``decimal(12,2)``).

    Raises TypeRefused for a type that DMS does not carry, or does in a way that no page tells.

    Example: ``dms_type("bigint unsigned").delta == "decimal(20,0)"``
    """
    match = _DECLARED.fullmatch(declared.strip().lower())
    if match is None:
        raise TypeRefused(_ENGINE, declared, "it is no type of MySQL")
    name = _SPELLINGS.get(match["name"], match["name"])
    if name in _INTEGERS:
        return _INTEGERS[name]["unsigned" in match["rest"]]
    if name == "decimal":
        return _decimal(declared, match["arguments"] or "10")
    if name == "bit":
        return _bit(declared, int(match["arguments"] or 1))
    if name not in _PLAIN:
        raise TypeRefused(_ENGINE, declared, _UNSAID)
    return _PLAIN[name]


def _decimal(declared: str, arguments: str) -> DmsType:
    precision, _, scale = arguments.partition(",")
    try:
        return numeric(int(precision), int(scale or 0))
    except ValueError:
        raise TypeRefused(_ENGINE, declared, "DMS has decimals of up to 38 digits") from None


def _bit(declared: str, width: int) -> DmsType:
    if width == 1:
        return DmsType("BOOLEAN", "boolean")
    if width == 64:
        return DmsType("BYTES", "binary", Form.HEX, length=8)
    raise TypeRefused(_ENGINE, declared, f"{_UNSAID}; bit(1) and bit(64) are carried")


DOCUMENTED = (
    "tinyint",
    "tinyint(1)",
    "smallint",
    "mediumint",
    "int",
    "bigint",
    "tinyint unsigned",
    "smallint unsigned",
    "mediumint unsigned",
    "int unsigned",
    "bigint unsigned",
    "decimal(38,10)",
    "decimal(12,2)",
    "float",
    "double",
    "bit(1)",
    "bit(64)",
    "binary(4)",
    "varbinary(16)",
    "tinyblob",
    "blob",
    "mediumblob",
    "longblob",
    "geometry",
    "char(4)",
    "varchar(20)",
    "tinytext",
    "text",
    "mediumtext",
    "longtext",
    "json",
    "enum('a','b')",
    "set('a','b')",
    "date",
    "datetime",
    "datetime(6)",
    "timestamp",
    "time",
    "year",
)
"""Every type the guide names, as a column may be declared."""
