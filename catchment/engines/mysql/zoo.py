"""The type zoo of MySQL and MariaDB: the edge values of each type that the DMS guide names, in SQL.

Each family is a table. Rows lie side by side: the first value of every column, then the second.
"""

from __future__ import annotations

from types import MappingProxyType

setup = ()

_TEXTS = ("''", "'a'", "'é ß'")
_LONGER = (*_TEXTS, "'line\\nline\\t\"quoted\"\\\\'", "'\U0001f600'")
_BYTES = ("x''", "x'00'", "x'00017f80ff'")
_ZERO = "'0000-00-00 00:00:00'"

families = MappingProxyType(
    {
        "numbers": {
            "tinyint": ("-128", "0", "127"),
            "tinyint(1)": ("0", "1", "-128", "127"),
            "smallint": ("-32768", "0", "32767"),
            "mediumint": ("-8388608", "0", "8388607"),
            "int": ("-2147483648", "0", "2147483647"),
            "bigint": ("-9223372036854775808", "0", "9223372036854775807"),
            "tinyint unsigned": ("0", "128", "255"),
            "smallint unsigned": ("0", "32768", "65535"),
            "mediumint unsigned": ("0", "8388608", "16777215"),
            "int unsigned": ("0", "2147483648", "4294967295"),
            "bigint unsigned": ("0", "9223372036854775808", "18446744073709551615"),
            "decimal(38,10)": ("-" + "9" * 28 + "." + "9" * 10, "0", "9" * 28 + "." + "9" * 10),
            "decimal(12,2)": ("-9999999999.99", "0.01", "9999999999.99"),
            "float": ("-3.40282e38", "0.1", "3.40282e38", "1.17549e-38"),
            "double": ("-1.7976931348623157e308", "0.1", "1.7976931348623157e308", "2.2250738585072014e-308"),
        },
        "bits": {"bit(1)": ("b'0'", "b'1'"), "bit(64)": ("b'0'", "b'1'", f"b'{'1' * 64}'")},
        "bytes": {
            "binary(4)": ("x'00000000'", "x'61'", "x'ffffffff'"),
            "varbinary(16)": (*_BYTES, f"x'{'ff' * 16}'"),
            "tinyblob": _BYTES,
            "blob": _BYTES,
            "mediumblob": _BYTES,
            "longblob": _BYTES,
            "geometry": ("ST_GeomFromText('POINT(0 0)')", "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')"),
        },
        "texts": {
            "char(4)": (*_TEXTS, "'four'"),
            "varchar(20)": (*_TEXTS, "'trailing  '"),
            "tinytext": _LONGER,
            "text": _LONGER,
            "mediumtext": _LONGER,
            "longtext": _LONGER,
            "json": ("'null'", "'{}'", '\'{"b": 1.50, "a": [null, "ß"]}\'', "'\"text\"'"),
            "enum('a','b')": ("'a'", "'b'"),
            "set('a','b')": ("''", "'a'", "'a,b'"),
        },
        "times": {
            "date": ("'0000-00-00'", "'1000-01-01'", "'9999-12-31'", "'2024-02-29'"),
            "datetime": (_ZERO, "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"),
            "datetime(6)": (_ZERO, "'1000-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'"),
            "timestamp": (_ZERO, "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'"),
            "time": ("'-838:59:59'", "'00:00:00'", "'838:59:59'"),
            "year": ("0", "1901", "2155"),
        },
    }
)
"""By family and type as a column is declared."""
