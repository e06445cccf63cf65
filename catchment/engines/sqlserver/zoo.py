"""The type zoo of SQL Server: the edge values of each type that the DMS guide names, in T-SQL.

Each family is a table. Rows lie side by side: the first value of every column, then the second. A rowversion is the
server's to write.
"""

from __future__ import annotations

from types import MappingProxyType

setup = ()

_TEXTS = ("''", "'a'", "'b c'")
_NATIONAL = ("N''", "N'é ß'", "N'b c'")
_LONGER = ("N''", "N'é ß'", "N'''quoted'' \"and\" \U0001f600'")
_BYTES = ("0x", "0x00", "0x00017F80FF")

families = MappingProxyType(
    {
        "numbers": {
            "tinyint": ("0", "128", "255"),
            "smallint": ("-32768", "0", "32767"),
            "int": ("-2147483648", "0", "2147483647"),
            "bigint": ("-9223372036854775808", "0", "9223372036854775807"),
            "bit": ("0", "1"),
            "decimal(38,10)": ("-" + "9" * 28 + "." + "9" * 10, "0", "9" * 28 + "." + "9" * 10),
            "numeric(12,2)": ("-9999999999.99", "0.01", "9999999999.99"),
            "money": ("-922337203685477.5808", "0.0001", "922337203685477.5807"),
            "smallmoney": ("-214748.3648", "0.0001", "214748.3647"),
            "real": ("-3.40E+38", "0.1", "3.40E+38", "1.18E-38"),
            "float": ("-1.79E+308", "0.1", "1.79E+308", "2.23E-308"),
            "float(24)": ("-3.40E+38", "0.1", "3.40E+38"),
        },
        "times": {
            "datetime": ("'1753-01-01T00:00:00'", "'9999-12-31T23:59:59.997'", "'2024-02-29T12:00:00.003'"),
            "smalldatetime": ("'1900-01-01T00:00:00'", "'2079-06-06T23:59:00'"),
            "datetime2": ("'0001-01-01T00:00:00'", "'9999-12-31T23:59:59.9999999'", "'2024-02-29T00:00:00.0000001'"),
            "date": ("'0001-01-01'", "'9999-12-31'", "'2024-02-29'"),
            "time": ("'00:00:00'", "'23:59:59.9999999'", "'12:00:00.0005'"),
            "datetimeoffset": ("'0001-01-01T00:00:00+00:00'", "'9999-12-31T23:59:59.9999999+14:00'"),
        },
        "texts": {
            "char(4)": (*_TEXTS, "'four'"),
            "varchar(20)": (*_TEXTS, "'trailing  '"),
            "nchar(4)": (*_NATIONAL, "N'four'"),
            "nvarchar(20)": (*_NATIONAL, "N'trailing  '"),
            "varchar(max)": (*_TEXTS, "REPLICATE(CAST('x' AS varchar(max)), 9000)"),
            "text": _TEXTS,
            "nvarchar(max)": _LONGER,
            "ntext": _LONGER,
            "xml": ("N''", "N'<a b=\"1\">ß &amp; more</a>'"),
        },
        "bytes": {
            "binary(4)": ("0x00000000", "0x61", "0xFFFFFFFF"),
            "varbinary(16)": (*_BYTES, f"0x{'FF' * 16}"),
            "rowversion": (),
            "varbinary(max)": _BYTES,
            "image": _BYTES,
            "uniqueidentifier": ("'00000000-0000-0000-0000-000000000000'", "'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'"),
        },
        "shapes": {
            "hierarchyid": ("hierarchyid::GetRoot()", "hierarchyid::Parse('/1/2.5/')"),
            "geometry": ("geometry::STGeomFromText('POINT(0 0)', 0)",),
            "geography": ("geography::STGeomFromText('POINT(-122.34 47.65)', 4326)",),
        },
    }
)
"""By family and type as a column is declared."""
