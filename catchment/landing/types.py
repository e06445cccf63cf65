"""Delta's primitive types: their names, what DuckDB calls them, and which type holds the values of two.

A type is written as Delta writes it: ``integer``, ``decimal(12,2)``, ``timestamp_ntz``. The spellings of SQL
(``int``, ``bigint``, ``smallint``, ``tinyint``, ``real``, ``bool``, ``numeric``) are understood as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_PRECISION = 38

_ALIASES = {
    "int": "integer",
    "bigint": "long",
    "smallint": "short",
    "tinyint": "byte",
    "real": "float",
    "bool": "boolean",
    "numeric": "decimal",
}
_DUCKDB = {
    "byte": "TINYINT",
    "short": "SMALLINT",
    "integer": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "binary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
}
_DIGITS = {"byte": 3, "short": 5, "integer": 10, "long": 19}
_INTEGERS = tuple(_DIGITS)
_DECIMAL = re.compile(r"decimal(?:\(\s*(\d{1,2})\s*(?:,\s*(\d{1,2})\s*)?\))?")

ALLOWED = ", ".join([*_DUCKDB, "decimal(p,s) with s <= p <= 38"])


@dataclass(frozen=True)
class DeltaType:
    """One primitive type of Delta. ``precision`` and ``scale`` are set for ``decimal`` and 0 for all others.

    Example: ``str(DeltaType.parse("numeric(12, 2)")) == "decimal(12,2)"``
    """

    name: str
    precision: int = 0
    scale: int = 0

    @classmethod
    def parse(cls, text: str) -> DeltaType:
        """Understand a type's name; raises ValueError that says what is allowed."""
        lowered = text.strip().lower()
        word = re.split(r"[\s(]", lowered, maxsplit=1)[0]
        name = _ALIASES.get(word, word)
        if name in _DUCKDB and lowered == word:
            return cls(name)
        decimal = _DECIMAL.fullmatch(name + lowered[len(word) :].strip()) if name == "decimal" else None
        if decimal is None:
            raise ValueError(f"one of {ALLOWED}")
        precision, scale = int(decimal[1] or 10), int(decimal[2] or 0)
        if not (1 <= precision <= MAX_PRECISION and scale <= precision):
            raise ValueError(f"one of {ALLOWED}")
        return cls("decimal", precision, scale)

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})" if self.name == "decimal" else self.name

    @property
    def duckdb(self) -> str:
        """The DuckDB type that holds exactly this type's values; ``timestamp`` is an instant."""
        return f"DECIMAL({self.precision},{self.scale})" if self.name == "decimal" else _DUCKDB[self.name]


STRING = DeltaType("string")

PARTITIONING = ("byte", "short", "integer", "long", "string", "boolean", "date")
"""Types whose values can name a partition: each value in one way, without a time zone."""

# Parquet as DuckDB reads it -> Delta. Unsigned types need the next wider signed one, unsigned 64 bits a decimal;
# Delta has no time of day, so that is text (`HH:MM:SS.mmm`); nested values, which DMS never writes, are JSON text.
_FROM_DUCKDB = {
    **{duckdb: name for name, duckdb in _DUCKDB.items()},
    "UTINYINT": "short",
    "USMALLINT": "integer",
    "UINTEGER": "long",
}


def from_duckdb(duckdb_type: str) -> DeltaType:
    """The Delta type of a Parquet column that DuckDB reads as ``duckdb_type``."""
    if duckdb_type.startswith("DECIMAL"):
        return DeltaType.parse(duckdb_type)
    if duckdb_type in ("UBIGINT", "HUGEINT", "UHUGEINT"):
        return DeltaType("decimal", 20 if duckdb_type == "UBIGINT" else MAX_PRECISION, 0)
    if duckdb_type.startswith("TIMESTAMP"):
        # Without UTC flag all the same: timestamp_ntz, a table feature, is the contract's to ask for.
        return DeltaType("timestamp")
    return DeltaType(_FROM_DUCKDB.get(duckdb_type, "string"))


def widen(a: DeltaType, b: DeltaType) -> DeltaType | None:
    """The narrowest type that holds every value of both, or None where there is none.

    Integers grow into longer integers, decimals and (up to 32 bits) doubles; decimals grow in both directions up to
    38 digits; float grows into double; a date into timestamp_ntz. These are the changes Delta's type widening allows.
    """
    if a == b:
        return a
    names = {a.name, b.name}
    if names <= set(_INTEGERS):
        return max(a, b, key=lambda t: _DIGITS[t.name])
    if names <= {"byte", "short", "integer", "float", "double"}:
        return DeltaType("double")
    if names == {"date", "timestamp_ntz"}:
        return DeltaType("timestamp_ntz")
    if names <= {*_INTEGERS, "decimal"}:
        return _wider_decimal(a, b)
    return None


def _wider_decimal(a: DeltaType, b: DeltaType) -> DeltaType | None:
    scale = max(a.scale, b.scale)
    precision = max(_whole_digits(a), _whole_digits(b)) + scale
    return DeltaType("decimal", precision, scale) if precision <= MAX_PRECISION else None


def _whole_digits(t: DeltaType) -> int:
    return t.precision - t.scale if t.name == "decimal" else _DIGITS[t.name]
