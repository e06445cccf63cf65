"""What AWS DMS makes of SQL Server's types.

Source: AWS DMS User Guide, "Using a Microsoft SQL Server database as a source", source data types.
"""

from __future__ import annotations

import re

from catchment.engines.dms_types import DmsType, Form, numeric
from catchment.errors import TypeRefused

_ENGINE = "sqlserver"
_MICROSECONDS = "cut to microseconds"

_PLAIN = {
    "tinyint": DmsType("UINT1", "short"),
    "smallint": DmsType("INT2", "short"),
    "int": DmsType("INT4", "integer"),
    "bigint": DmsType("INT8", "long"),
    "bit": DmsType("BOOLEAN", "boolean"),
    "money": numeric(19, 4),
    "smallmoney": numeric(10, 4),
    "real": DmsType("REAL4", "float"),
    "float": DmsType("REAL8", "double"),
    "datetime": DmsType("DATETIME", "timestamp"),
    "smalldatetime": DmsType("DATETIME", "timestamp"),
    "datetime2": DmsType("DATETIME", "timestamp", narrows=_MICROSECONDS),
    "date": DmsType("DATE", "date"),
    "time": DmsType("TIME", "string", narrows="cut to milliseconds"),
    "datetimeoffset": DmsType("WSTRING", "string"),
    "char": DmsType("STRING", "string", Form.TRIMMED, narrows="trailing blanks are trimmed"),
    "varchar": DmsType("STRING", "string"),
    "nchar": DmsType("WSTRING", "string", Form.TRIMMED, narrows="trailing blanks are trimmed"),
    "nvarchar": DmsType("WSTRING", "string"),
    "text": DmsType("CLOB", "string"),
    "ntext": DmsType("NCLOB", "string"),
    "xml": DmsType("NCLOB", "string"),
    "binary": DmsType("BYTES", "binary", Form.HEX),
    "varbinary": DmsType("BYTES", "binary", Form.HEX),
    "rowversion": DmsType("BYTES", "binary", Form.HEX, length=8),
    "timestamp": DmsType("BYTES", "binary", Form.HEX, length=8),
    "image": DmsType("BLOB", "binary", Form.HEX),
    "uniqueidentifier": DmsType("STRING", "string", Form.CASELESS, narrows="the case of its letters is not told"),
    "hierarchyid": DmsType("WSTRING", "string", length=250),
    "geometry": DmsType("CLOB", "string"),
    "geography": DmsType("CLOB", "string"),
}
_LARGE = {
    "varchar": DmsType("CLOB", "string"),
    "nvarchar": DmsType("NCLOB", "string"),
    "varbinary": DmsType("BLOB", "binary", Form.HEX),
}
_REFUSED = {
    "sql_variant": "DMS leaves out the whole table that has such a column",
    "cursor": "DMS leaves out the whole table that has such a column",
    "table": "DMS leaves out the whole table that has such a column",
}
_DECLARED = re.compile(r"(?P<name>[a-z0-9_]+)\s*(?:\(\s*(?P<first>\d+|max)\s*(?:,\s*(?P<second>\d+)\s*)?\))?")


def dms_type(declared: str) -> DmsType:
    """The DMS type of a SQL Server column, declared as in T-SQL (``decimal(12,2)``, ``nvarchar(max)``).

    Raises TypeRefused for a type that DMS does not carry.

    Example: ``dms_type("tinyint").delta == "short"``
    """
    match = _DECLARED.fullmatch(declared.strip().lower())
    if match is None:
        raise TypeRefused(_ENGINE, declared, "it is no type of SQL Server")
    name, first, second = match["name"], match["first"], match["second"]
    if name in ("decimal", "numeric", "dec"):
        return numeric(int(first or 18), int(second or 0))
    if first == "max" and name in _LARGE:
        return _LARGE[name]
    if name == "float" and first is not None and int(first) <= 24:
        return _PLAIN["real"]
    if name not in _PLAIN:
        raise TypeRefused(_ENGINE, declared, _REFUSED.get(name, "DMS carries a user-defined type as its base type"))
    return _PLAIN[name]


DOCUMENTED = (
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "bit",
    "decimal(38,10)",
    "numeric(12,2)",
    "money",
    "smallmoney",
    "real",
    "float",
    "float(24)",
    "datetime",
    "smalldatetime",
    "datetime2",
    "date",
    "time",
    "datetimeoffset",
    "char(4)",
    "varchar(20)",
    "nchar(4)",
    "nvarchar(20)",
    "varchar(max)",
    "text",
    "nvarchar(max)",
    "ntext",
    "xml",
    "binary(4)",
    "varbinary(16)",
    "rowversion",
    "varbinary(max)",
    "image",
    "uniqueidentifier",
    "hierarchyid",
    "geometry",
    "geography",
)
"""Every type the guide names, as a column may be declared."""
