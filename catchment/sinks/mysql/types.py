"""Which MySQL type holds the values of a Delta type, which it does not hold, and how they are written as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from catchment.changes.relations import SEQUENCE, quote
from catchment.errors import SchemaConflict
from catchment.landing.types import DeltaType
from catchment.sinks.replica.target import Unheld

_MAX_NAME = 64
"""Characters of a name."""
_MAX_KEY, _CHARACTER = 3072, 4
"""Bytes of an index entry of InnoDB, and of a character in it."""
_MAX_SCALE = 30
"""Decimal places."""
_TOKEN = 64

_TYPES = {
    "byte": "TINYINT",
    "short": "SMALLINT",
    "integer": "INT",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "TINYINT(1)",
    "date": "DATE",
    "timestamp": "DATETIME(6)",
    "timestamp_ntz": "DATETIME(6)",
}
_KEY_BYTES = {"byte": 1, "short": 2, "integer": 4, "long": 8, "float": 4, "double": 8, "boolean": 1, "date": 3}
_KEY_BYTES |= {"timestamp": 8, "timestamp_ntz": 8, "decimal": 20}
_OF_A_LENGTH = ("string", "binary")


@dataclass(frozen=True)
class Types:
    """The types of one server, whose ``collation`` compares text byte by byte and does not pad it."""

    collation: str

    def column(self, kind: DeltaType, length: int | None = None) -> str:
        """The type of a column; of text and bytes in an index the ``length`` is given."""
        if kind.name == "decimal":
            kept = _kept(kind)
            return f"DECIMAL({kept.precision},{kept.scale})"
        if kind.name == "string":
            word = "LONGTEXT" if length is None else f"VARCHAR({length})"
            return f"{word} CHARACTER SET utf8mb4 COLLATE {self.collation}"
        if kind.name == "binary":
            return "LONGBLOB" if length is None else f"VARBINARY({length})"
        return _TYPES[kind.name]

    def definitions(self, columns: Mapping[str, DeltaType], key: Sequence[str] = ()) -> dict[str, str]:
        """The type of each column; those of ``key`` can be in an index, and are in a primary key of the same length."""
        lengths = key_lengths({name: columns[name] for name in key if name != SEQUENCE})
        lengths[SEQUENCE] = _TOKEN
        if "token" in key:
            lengths["token"] = _TOKEN
        return {name: self.column(kind, lengths.get(name)) for name, kind in columns.items()}


def key_lengths(key: Mapping[str, DeltaType]) -> dict[str, int]:
    """How long the key's texts (characters) and bytes may be, for all to fit into an index entry."""
    left = _MAX_KEY - sum(_KEY_BYTES.get(kind.name, 0) for kind in key.values())
    several = [name for name, kind in key.items() if kind.name in _OF_A_LENGTH]
    return {
        name: left // len(several) // (_CHARACTER if kind.name == "string" else 1)
        for name, kind in key.items()
        if name in several
    }


def _kept(kind: DeltaType) -> DeltaType:
    """A decimal with as many places as MySQL has."""
    return replace(kind, precision=kind.precision - max(0, kind.scale - _MAX_SCALE), scale=min(kind.scale, _MAX_SCALE))


def check(table: str, columns: Mapping[str, DeltaType]) -> None:
    """Raises SchemaConflict for a column that MySQL cannot have, or cannot tell from another one."""
    seen: dict[str, str] = {}
    for name in columns:
        if len(name) > _MAX_NAME:
            raise SchemaConflict(table, name, f"{len(name)} characters", f"at most {_MAX_NAME} in MySQL")
        if name != name.rstrip() or any(ord(each) > 0xFFFF or each == "\0" for each in name):
            raise SchemaConflict(table, name, "a name with a blank at its end, a NUL or an emoji", "not in MySQL")
        if (other := seen.setdefault(name.casefold(), name)) != name:
            raise SchemaConflict(table, name, f"the same as {other!r} in MySQL", "two names that differ by case alone")


def unheld(columns: Mapping[str, DeltaType], key: Sequence[str]) -> list[Unheld]:
    """What of the columns' values MySQL cannot hold, or not in the key."""
    found = []
    for name, kind in columns.items():
        if kind.name in ("float", "double"):
            found.append(Unheld(name, "NOT isfinite({})", "MySQL has neither NaN nor infinities"))
        elif kind.scale > _MAX_SCALE:
            why = f"MySQL has at most {_MAX_SCALE} decimal places"
            zeros = "0" * (kind.scale - _MAX_SCALE)
            found.append(Unheld(name, f"NOT ends_with(CAST({{}} AS VARCHAR), '{zeros}')", why))
        elif kind.name in ("date", "timestamp", "timestamp_ntz"):
            found.append(
                Unheld(name, "(NOT isfinite({0}) OR year({0}) NOT BETWEEN 1 AND 9999)", "MySQL's years are 1 to 9999")
            )
    for name, length in key_lengths({name: columns[name] for name in key if name in columns}).items():
        measure = "length" if columns[name].name == "string" else "octet_length"
        unit = "characters" if columns[name].name == "string" else "bytes"
        found.append(Unheld(name, f"{measure}({{}}) > {length}", f"MySQL's key has at most {length} {unit} of it"))
    return found


def to_text(column: str, kind: DeltaType) -> str:
    """A DuckDB expression: the value of ``column`` as text that MySQL reads as the same value (bytes as hex)."""
    if kind.name == "binary":
        return f"hex({column})"
    if kind.name == "boolean":
        return f"CAST(CAST({column} AS TINYINT) AS VARCHAR)"
    if kind.name == "float":  # its shortest spelling may be above the largest FLOAT
        return f"CAST(CAST({column} AS DOUBLE) AS VARCHAR)"
    if kind.name == "timestamp":
        return f"CAST({column} AT TIME ZONE 'UTC' AS VARCHAR)"
    if kind.name == "decimal":
        return f"CAST(CAST({column} AS {_kept(kind).duckdb}) AS VARCHAR)"
    return f"CAST({column} AS VARCHAR)"


def from_text(column: str, kind: DeltaType) -> str:
    """A DuckDB expression: the value of MySQL's text in ``column``."""
    if kind.name == "binary":
        return f"unhex({column})"
    if kind.name == "timestamp":
        return f"CAST({column} || '+00' AS TIMESTAMP WITH TIME ZONE)"
    return f"CAST({column} AS {kind.duckdb})"


def shown(column: str, kind: DeltaType) -> str:
    """A MySQL expression: the value of ``column`` as ``from_text`` needs it."""
    if kind.name == "binary":
        return f"HEX({column})"
    if kind.name == "float":  # MySQL prints six digits of it
        return f"({column} + 0e0)"
    return column


def definition(types: Mapping[str, str]) -> list[str]:
    """``"name" type`` of each column."""
    return [f"{quote(name)} {kind}" for name, kind in types.items()]
