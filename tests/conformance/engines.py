"""The engines the suite holds to one meaning; a new one is one more line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from catchment.apply import Account, apply_table
from catchment.apply.engine import open_duck_engine
from catchment.sinks.merge_on_read import MaskingPolicy

Apply = Callable[..., Account]


@dataclass(frozen=True)
class Engine:
    """``apply`` is called as catchment.apply.apply_table is; ``table`` are lines of the table's contract.

    ``cannot`` are parts of the suite that it does not claim, by name. ``partitioned``: tables are partitioned by a
    column, mostly one whose values change. ``seldom``: with the slow tests only.
    """

    name: str
    apply: Apply
    table: Mapping[str, object] = field(default_factory=dict)
    cannot: frozenset[str] = frozenset()
    partitioned: bool = False
    seldom: bool = False


# files of any length are marked, so that the suite's small tables are
_marking = partial(apply_table, open_engine=partial(open_duck_engine, masking=MaskingPolicy(rows=1, share=1.0)))

ENGINES = {
    engine.name: engine
    for engine in (
        Engine("copy-on-write", apply_table),
        Engine("deletion vectors", _marking, {"deletion_vectors": True}),
        Engine("partitions", apply_table, partitioned=True),
        Engine("partitions, deletion vectors", _marking, {"deletion_vectors": True}, partitioned=True, seldom=True),
    )
}
