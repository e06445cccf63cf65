"""What AWS DMS makes of PostgreSQL's types: the one list that the DMS emulator and the reconciliation share.

Source: AWS DMS User Guide, "Using a PostgreSQL database as an AWS DMS source", source data types, and files written
by DMS. Where the guide is silent the rule is marked *chosen* here and explained in docs/decisions/0051.
"""

from __future__ import annotations

import re

from catchment.engines.dms_types import DmsType, Form, numeric

UNBOUNDED_NUMERIC = (28, 6)
"""Precision and scale DMS gives a numeric declared without them; further decimals are cut."""
UNBOUNDED_VARCHAR_BYTES = 8000
"""Default of the endpoint attribute unboundedVarcharMaxSize."""
INFINITY_DATE = ("9999-12-31", "4713-01-01 BC")
"""The dates DMS delivers for infinity and -infinity (documented for timestamp; chosen for date)."""
INFINITY_TIMESTAMP = ("9999-12-31 23:59:59", "4713-01-01 00:00:00 BC")
"""The timestamps DMS delivers for infinity and -infinity; the time of day is chosen."""


def _text(name: str, length: int | None = None, form: Form = Form.VERBATIM, narrows: str | None = None) -> DmsType:
    return DmsType(name, "string", form, length=length, narrows=narrows)


_TIMESTAMP = DmsType("DATETIME", "timestamp", narrows="infinity becomes 9999-12-31, -infinity 4713-01-01 BC")

_PLAIN: dict[str, DmsType] = {
    "smallint": DmsType("INT2", "short"),
    "integer": DmsType("INT4", "integer"),
    "bigint": DmsType("INT8", "long"),
    "real": DmsType("REAL4", "float"),
    "double precision": DmsType("REAL8", "double"),
    "money": numeric(38, 4, Form.MONEY),
    "text": _text("NCLOB"),
    "citext": _text("NCLOB"),
    "json": _text("NCLOB"),
    "jsonb": _text("NCLOB"),
    "hstore": _text("NCLOB"),
    "xml": _text("CLOB"),
    "tsvector": _text("CLOB"),
    "tsquery": _text("CLOB"),
    "path": _text("CLOB"),
    "polygon": _text("CLOB"),
    "bytea": DmsType("BLOB", "binary", Form.HEX),
    "uuid": _text("STRING"),
    "boolean": _text("CHAR", 5, Form.BOOLEAN_WORDS),
    "date": DmsType("DATE", "date", narrows=_TIMESTAMP.narrows),
    "timestamp without time zone": _TIMESTAMP,
    "timestamp with time zone": _TIMESTAMP,
    "time without time zone": DmsType("TIME", "string", narrows="cut to milliseconds"),
    "time with time zone": DmsType("TIME", "string", narrows="cut to milliseconds, without its zone"),
    "interval": _text("STRING", 128, Form.INTERVAL_WORDS),
    "inet": _text("STRING", 50),
    "cidr": _text("STRING", 50),
    "macaddr": _text("STRING", 18),
    "macaddr8": _text("STRING", 24),
    **{name: _text("STRING", 255) for name in ("point", "line", "lseg", "box", "circle")},
    **{name: _text("STRING", 255) for name in ("int4range", "int8range", "numrange")},
    **{name: _text("STRING", 255) for name in ("daterange", "tsrange", "tstzrange")},  # chosen
}

_DECLARED = re.compile(r"(?P<name>[^(]+?)\s*(?:\((?P<first>\d+)(?:,(?P<second>-?\d+))?\))?(?P<rest> with.*)?")


def dms_type(declared: str, kind: str = "b") -> DmsType:
    """The DMS type of a PostgreSQL column.

    ``declared`` is what ``format_type(oid, typmod)`` says of the column's type, or of its base type if it is a
    domain (``numeric(12,2)``, ``character varying(20)``, ``integer[]``); ``kind`` is that type's ``typtype``
    (``b`` base, ``e`` enum, ``c`` composite, ``r`` range, ``m`` multirange). Types the guide does not name arrive as
    text.

    Example: ``dms_type("numeric(12,2)").delta == "decimal(12,2)"``
    """
    if declared.endswith("[]") or kind in "cm":
        return _text("NCLOB")
    if kind == "e":
        return _text("STRING", 64)
    match = _DECLARED.fullmatch(declared)
    if match is None:
        return _text("NCLOB")
    name = match["name"] + (match["rest"] or "")
    first = int(match["first"]) if match["first"] else None
    if name in _PLAIN:
        return _PLAIN[name]
    if name == "numeric":
        return _numeric_type(first, int(match["second"] or 0))
    if name.startswith("interval"):
        return _PLAIN["interval"]
    return _character_type(name, first)


def _numeric_type(precision: int | None, scale: int) -> DmsType:
    if precision is None:
        return numeric(*UNBOUNDED_NUMERIC, narrows="cut to 6 decimals; NaN becomes NULL")
    if precision > 38 or not 0 <= scale <= precision:
        return _text("STRING")
    return numeric(precision, scale, narrows="NaN becomes NULL")


def _character_type(name: str, length: int | None) -> DmsType:
    if name in ("character", "bpchar"):
        return _text("WSTRING", length, Form.TRIMMED, "trailing blanks are trimmed")
    if name == "character varying" and length is None:
        return _text("WSTRING", UNBOUNDED_VARCHAR_BYTES, narrows="cut to 8000 bytes")
    if name == "character varying":
        return _text("WSTRING", length)
    if name in ("bit", "bit varying"):
        return _text("STRING", length)
    return _text("NCLOB")


_INTERVAL = re.compile(r"(-?\+?\d+) (year|mon|day)s?|([+-]?)(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def interval_words(text: str) -> str:
    """An interval the way DMS spells it, from PostgreSQL's own text (``IntervalStyle = postgres``).

    The guide shows ``1 YEAR, 2 MONTHS, 3 DAYS, 4 HOURS, 5 MINUTES, 6 SECONDS``; that parts of zero are left out and
    that one is singular is chosen, and so are ``0 SECONDS`` for none at all and the untouched word ``infinity``.

    Example: ``interval_words("1 year 2 mons 04:05:06.5") == "1 YEAR, 2 MONTHS, 4 HOURS, 5 MINUTES, 6.5 SECONDS"``
    """
    if text.endswith("infinity"):
        return text
    words: list[str] = []

    def say(number: str, unit: str) -> None:
        if number.strip("+-0.:"):
            words.append(f"{number} {unit}{'' if number.lstrip('+-') == '1' else 'S'}")

    for amount, unit, sign, hours, minutes, seconds in _INTERVAL.findall(text):
        if unit:
            say(amount.lstrip("+"), {"year": "YEAR", "mon": "MONTH", "day": "DAY"}[unit])
            continue
        minus = "-" if sign == "-" else ""
        say(minus + (hours.lstrip("0") or "0"), "HOUR")
        say(minus + (minutes.lstrip("0") or "0"), "MINUTE")
        whole, _, fraction = seconds.partition(".")
        fraction = fraction.rstrip("0")
        say(minus + (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else ""), "SECOND")
    return ", ".join(words) or "0 SECONDS"


DOCUMENTED = (
    "smallint",
    "integer",
    "bigint",
    "numeric(38,2)",
    "numeric(12,2)",
    "numeric",
    "numeric(50,3)",
    "real",
    "double precision",
    "money",
    "character(4)",
    "character varying(20)",
    "character varying",
    "text",
    "citext",
    "json",
    "jsonb",
    "hstore",
    "xml",
    "tsvector",
    "tsquery",
    "path",
    "polygon",
    "integer[]",
    "bytea",
    "uuid",
    "boolean",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time with time zone",
    "interval",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "bit(3)",
    "bit varying(8)",
    "point",
    "line",
    "lseg",
    "box",
    "circle",
    "int4range",
    "int8range",
    "numrange",
    "daterange",
    "tsrange",
    "tstzrange",
)
"""Every type the guide names, as a column may be declared."""
