"""The type zoo: a table a family of an engine's types, with the edge values of each type that the DMS guide names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from catchment.engines.base import Zoo
from catchment.samples.columns import Column, Make, number
from catchment.samples.tables import SampleSystem, SampleTable

SCHEMA = "zoo"


def type_zoo(zoo: Zoo) -> SampleSystem:
    """The zoo of an engine. Its rows are always the same, and as many as the edge values that a type has most of."""
    tables = tuple(_table(family, columns) for family, columns in zoo.families.items())
    return SampleSystem(SCHEMA, tables, default_rows=0, setup=zoo.setup)


def _table(family: str, columns: Mapping[str, Sequence[str]]) -> SampleTable:
    made = (
        Column(_column_name(declared), declared, _each(values), nullable=True, own=True)
        for declared, values in columns.items()
    )
    rows = max(map(len, columns.values()))
    return SampleTable(family, (Column("id", "integer", number()), *made), key=("id",), share=0, rows=rows)


def _column_name(declared: str) -> str:
    words = re.findall(r"[a-z0-9]+", declared.replace("[]", " array"))
    return "_".join(["c", *words])


def _each(values: Sequence[str]) -> Make:
    return lambda _seed, rows: [values[row - 1] if row <= len(values) else None for row in rows]
