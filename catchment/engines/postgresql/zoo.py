"""The type zoo of PostgreSQL: the edge values of each type that the DMS guide names, as its text format spells them.

Each family is a table. Rows lie side by side: the first value of every column, then the second.
"""

from __future__ import annotations

from types import MappingProxyType

setup = ("CREATE EXTENSION IF NOT EXISTS citext", "CREATE EXTENSION IF NOT EXISTS hstore")

_TEXTS = ("", "a", "é ß", ' "quoted"\\')
_INFINITE = ("infinity", "-infinity")
_MOMENTS = (
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59.999999",
    "1969-12-31 23:59:59.999999",
    "2024-02-29 12:00:00.001",
)
_DOCUMENTS = ("null", "{}", '{"b": 1.50, "a": [null, "ß"], "b": "twice"}', '"text"', "1e2")

families = MappingProxyType(
    {
        "numbers": {
            "smallint": ("-32768", "0", "32767"),
            "integer": ("-2147483648", "0", "2147483647"),
            "bigint": ("-9223372036854775808", "0", "9223372036854775807"),
            "numeric(38,2)": ("-" + "9" * 36 + ".99", "0.00", "9" * 36 + ".99"),
            "numeric(12,2)": ("-9999999999.99", "0.01", "9999999999.99", "NaN"),
            "numeric": ("-1e20", "0.0000009", "12345.678900", "NaN"),
            "numeric(50,3)": ("-" + "9" * 47 + ".999", "0.001", "9" * 47 + ".999"),
            "real": ("-3.4028235e38", "-0", "3.4028235e38", "NaN", "Infinity", "-Infinity", "1e-45"),
            "double precision": (
                "-1.7976931348623157e308",
                "-0",
                "1.7976931348623157e308",
                "NaN",
                *_INFINITE,
                "5e-324",
            ),
            "money": ("-92233720368547758.08", "0", "92233720368547758.07"),
        },
        "texts": {
            "character(4)": ("", "a", "é ß", "four"),
            "character varying(20)": (*_TEXTS, "x" * 20),
            "character varying": (*_TEXTS, "x" * 3000),
            "text": (*_TEXTS, "line\nline\r\n\ttab", "\U0001f600"),
        },
        "documents": {
            "json": _DOCUMENTS,
            "jsonb": _DOCUMENTS,
            "tsvector": ("", "'a':1A 'fat':2 'cat':3"),
            "tsquery": ("", "'fat' & ( 'rat' | !'cat' )"),
        },
        "extensions": {
            "citext": ("", "Same", "SAME"),
            "hstore": ("", '"a"=>"1", "b"=>NULL', '"ß"=>"\\"quoted\\""'),
        },
        "xml": {"xml": ("<a/>", '<a b="1">ß &amp; more</a>')},
        "bytes": {
            "bytea": ("\\x", "\\x00", "\\x00017f80ff"),
            "bit(3)": ("000", "101", "111"),
            "bit varying(8)": ("", "1", "11111111"),
            "boolean": ("false", "true"),
            "uuid": ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        },
        "times": {
            "date": ("0001-01-01", "9999-12-31", "1582-10-15", "2024-02-29", *_INFINITE),
            "timestamp without time zone": (*_MOMENTS, *_INFINITE),
            "timestamp with time zone": (*(f"{moment}+00" for moment in _MOMENTS), *_INFINITE),
            "time without time zone": ("00:00:00", "23:59:59.999999", "24:00:00", "00:00:00.0005"),
            "time with time zone": ("00:00:00+14", "23:59:59.999999-14", "12:00:00.000999+00"),
            "interval": ("-178000000 years", "0", "178000000 years", "1 year 2 mons -3 days 04:05:06.789"),
        },
        "networks": {
            "inet": ("0.0.0.0/0", "192.168.0.1/24", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:1.2.3.4"),
            "cidr": ("0.0.0.0/0", "10.0.0.0/8", "2001:db8::/32"),
            "macaddr": ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"),
            "macaddr8": ("00:00:00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff:ff:ff"),
        },
        "shapes": {
            "point": ("(0,0)", "(1e+300,-1.5)"),
            "line": ("{1,0,0}", "{1,-1,0.5}"),
            "lseg": ("[(0,0),(0,0)]", "[(1,2),(3.5,4)]"),
            "box": ("(0,0),(0,0)", "(3,4),(1,2)"),
            "circle": ("<(0,0),0>", "<(1.5,2),3>"),
            "path": ("[(0,0)]", "((1,2),(3,4))"),
            "polygon": ("((0,0))", "((0,0),(1,0),(1,1))"),
        },
        "ranges": {
            "int4range": ("empty", "(,)", "[-2147483648,2147483647)"),
            "int8range": ("empty", "(,)", "[-9223372036854775808,9223372036854775807)"),
            "numrange": ("empty", "(,)", "[1.5,2.25]"),
            "daterange": ("empty", "(,)", "[0001-01-01,9999-12-31)"),
            "tsrange": ("empty", "(,)", '["0001-01-01 00:00:00","9999-12-31 23:59:59.999999"]'),
            "tstzrange": ("empty", "(,)", '["0001-01-01 00:00:00+00","9999-12-31 23:59:59.999999+00"]'),
        },
        "arrays": {"integer[]": ("{}", "{-2147483648,NULL,2147483647}", "{{1,2},{3,4}}")},
    }
)
"""By family and type as a column is declared."""
