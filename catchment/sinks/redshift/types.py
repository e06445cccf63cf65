"""Which Redshift type holds the values of a Delta type (Redshift Database Developer Guide, "Data types")."""

from __future__ import annotations

from catchment.landing.types import DeltaType

_TYPES = {
    "byte": "SMALLINT",
    "short": "SMALLINT",
    "integer": "INTEGER",
    "long": "BIGINT",
    "float": "REAL",
    "double": "DOUBLE PRECISION",
    "boolean": "BOOLEAN",
    "string": "VARCHAR(65535)",
    "binary": "VARBYTE(16777216)",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "timestamp_ntz": "TIMESTAMP",
}
"""Text and bytes of the greatest length there is, in bytes; longer ones Redshift does not hold."""


def column_type(kind: DeltaType) -> str:
    """The type of a column."""
    return f"DECIMAL({kind.precision},{kind.scale})" if kind.name == "decimal" else _TYPES[kind.name]
