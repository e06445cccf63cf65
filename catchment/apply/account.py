"""What became of every row read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Counts:
    """Rows read = applied + superseded + stale + quarantined.

    ``superseded``: a later change of the same key came in the same commit. ``stale``: the table already has this
    change, or a later one. ``applied``: the rest of the good ones. ``inserted``, ``updated`` and ``deleted`` are rows
    of the table, ``unchanged`` those that a new load has just as the table had them; ``key_changes`` counts rows read
    that changed their key.
    """

    read: int = 0
    applied: int = 0
    superseded: int = 0
    stale: int = 0
    quarantined: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    key_changes: int = 0

    def __post_init__(self) -> None:
        parts = self.applied + self.superseded + self.stale + self.quarantined
        if self.read != parts:
            raise ArithmeticError(f"{self.read} rows read, but {parts} accounted for: {self}")

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    def to_json(self) -> dict[str, int]:
        """Plain numbers by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass
class Account:
    """What one call did to one table.

    ``files`` new landing files in ``commits`` commits, of them ``late`` ones that stood before what the table already
    had and made ``replayed`` applied files be read again. ``version`` is the table's (None: there is no table),
    ``rows`` its length, ``watermark`` the newest change file's stamp (17 digits, 0: none). ``generation`` counts the
    table's reloads; ``waiting`` says what a load still lacks (empty: nothing), ``load_file`` is the newest file of such
    a load. ``unrecognised`` are paths in the table's folder that are no landing files. ``done`` is False where the
    budget ended before the files did.
    ``route`` is the last choice of an engine, with its reason; where that was Spark, nothing more was done here, and
    ``handed_over`` is the token by which a job gets the table's lease.
    """

    table: str
    counts: Counts = field(default_factory=Counts)
    files: int = 0
    late: int = 0
    replayed: int = 0
    commits: int = 0
    version: int | None = None
    rows: int | None = None
    watermark: int = 0
    generation: int = 0
    waiting: str = ""
    load_file: str = ""
    unrecognised: list[str] = field(default_factory=list)
    quarantine: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    done: bool = True
    route: dict[str, Any] | None = None
    handed_over: str | None = None

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)

    def to_json(self) -> dict[str, Any]:
        """Plain values; the counts lie beside the rest."""
        rest = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("table", "counts")}
        return {"table": self.table, **self.counts.to_json(), **rest}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Account:
        """What ``to_json`` made; other names are let pass."""
        counts = Counts(**{f.name: values[f.name] for f in fields(Counts)})
        rest = {f.name: values[f.name] for f in fields(cls) if f.name != "counts"}
        return cls(counts=counts, **rest)
