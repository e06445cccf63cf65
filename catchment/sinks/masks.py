"""The masked rows of a table's files, as a relation that every scan leaves out."""

from __future__ import annotations

import uuid
from array import array
from collections.abc import Sequence

import duckdb
from arro3.core import Array, Table
from pyroaring import BitMap64

from catchment.changes.relations import quote
from catchment.errors import DamagedVector
from catchment.sinks.deletion_vectors import VectorReader
from catchment.sinks.delta_files import Part
from catchment.storage import ObjectStore


class Masks:
    """What the deletion vectors of the table at ``path`` mask, for one state of it.

    Vectors are read when a scan first needs them, each once. The relation lies in the connection ``con`` and is seen
    by its cursors too.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, store: ObjectStore, path: str) -> None:
        self._con, self._vectors = con, VectorReader(store, path)
        self.relation = quote(f"~masked_{uuid.uuid4()}")
        self._loaded: set[int] = set()

    def spared(self, parts: Sequence[Part], number: str, position: str) -> str:
        """The condition that a row of these parts counts; ``number`` and ``position`` are SQL for its place.

        Raises DamagedVector.
        """
        masked = [part for part in parts if part.vector is not None]
        if not masked:
            return "TRUE"
        if not self._loaded:
            self._con.execute(f"CREATE OR REPLACE TABLE {self.relation} (part INTEGER, pos BIGINT)")
        for part in masked:
            if part.number not in self._loaded:
                self._load(part)
        return f"NOT EXISTS (SELECT 1 FROM {self.relation} m WHERE m.part = {number} AND m.pos = {position})"

    def positions(self, part: Part) -> BitMap64:
        """The masked rows of one part. Raises DamagedVector."""
        if part.vector is None:
            return BitMap64()
        positions = self._vectors.read(part.vector)
        if part.records is not None and positions and positions.max() >= part.records:
            raise DamagedVector(part.path, f"masks row {positions.max()} of {part.records}")
        return positions

    def _load(self, part: Part) -> None:
        rows: array[int] = self.positions(part).to_array()  # of 64 bits each
        self._con.register("~positions", Table.from_pydict({"pos": Array.from_buffer(rows)}))
        self._con.execute(f'INSERT INTO {self.relation} SELECT {part.number}, pos FROM "~positions"')
        self._con.unregister("~positions")
        self._loaded.add(part.number)
