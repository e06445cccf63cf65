"""Partitions of a Delta table: which values can name one, how the log writes them, and the folders files lie in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from catchment.changes.relations import quote, text
from catchment.landing.types import DeltaType
from catchment.sinks.key_ranges import INTEGERS

Values = Mapping[str, str | None]
"""The values of a partition by column, as text; None is NULL."""

_NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"
# What Hive and Spark escape in a folder's name.
_UNSAFE = re.compile(r"""[\x00-\x1f\x7f"#%'*/:=?\\{\[\]^]""")
_LONGEST = 200


def constant(value: str | None, kind: DeltaType) -> str:
    """The SQL of a partition's value."""
    return f"CAST({text(value) if value else 'NULL'} AS {kind.duckdb})"


def bound(value: str | None, kind: DeltaType) -> Any:
    """A partition's value as statistics give a column's least or greatest value; None where it cannot be one."""
    if not value:
        return None
    try:
        return int(value) if kind.name in INTEGERS else value
    except ValueError:
        return None


def folder(values: Values) -> str:
    """Where files of a partition lie in the table's folder, with a slash behind; empty without partitions.

    Readers take values from the log alone, so a name too long for a folder may be another.
    """
    return "".join(f"{_escaped(name)}={_NULL_FOLDER if v is None else _escaped(v)}/" for name, v in values.items())


def column_of(name: str) -> str:
    """The column that a folder of a partition is named for; empty for another folder."""
    column, mark, _ = name.partition("=")
    return re.sub("%([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), column) if mark else ""


def typed(columns: Sequence[str], kinds: Mapping[str, DeltaType]) -> dict[str, DeltaType]:
    """The columns with their types."""
    return {name: kinds[name] for name in columns}


def as_texts(kinds: Mapping[str, DeltaType], table: str) -> str:
    """SELECT list of the columns of ``table`` as the log writes their values: v0, v1 …"""
    return "".join(
        f", CAST(CAST({table}.{quote(name)} AS {kind.duckdb}) AS VARCHAR) AS v{i}"
        for i, (name, kind) in enumerate(kinds.items())
    )


def without(columns: Mapping[str, DeltaType], partition_by: Iterable[str]) -> dict[str, DeltaType]:
    """The columns that stand in data files."""
    left_out = set(partition_by)
    return {name: kind for name, kind in columns.items() if name not in left_out}


def _escaped(value: str) -> str:
    escaped = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", value)
    if len(escaped.encode()) <= _LONGEST:
        return escaped
    return hashlib.sha256(value.encode()).hexdigest()
