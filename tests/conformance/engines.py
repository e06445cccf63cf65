"""The engines the suite holds to one meaning; a new one is one more line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from catchment.apply import Account, apply_table
from catchment.apply.engine import open_duck_engine
from catchment.sinks.merge_on_read import MaskingPolicy
from tests.conformance import on_spark
from tests.conformance.views import DeltaView, View

Apply = Callable[..., Account]
Point = TypeVar("Point")


@dataclass(frozen=True)
class Engine:
    """``apply`` is called as catchment.apply.apply_table is; ``view`` looks at the table of a folder.

    ``prepare`` starts what the engine needs besides, once a process. ``table`` are lines of the table's contract.
    ``delta``: others who know Delta tables may work on its tables. ``infinities``: it has them, and NaN.
    ``partitioned``: tables are partitioned by a column, mostly one whose values change. ``seldom``: with the slow tests
    only. ``pace`` is the share of the examples that it is asked, and ``most`` how often it is interrupted: one that
    takes its time, or has been asked much of it already.
    """

    name: str
    apply: Apply
    view: Callable[[Path], View] = DeltaView
    prepare: Callable[[], object] = lambda: None
    table: Mapping[str, object] = field(default_factory=dict)
    delta: bool = True
    infinities: bool = True
    partitioned: bool = False
    seldom: bool = False
    pace: float = 1.0
    most: int = 1000

    def examples(self, many: int) -> int:
        """How many of so many examples it is held to."""
        return max(2, round(many * self.pace))

    def some(self, points: Sequence[Point]) -> Sequence[Point]:
        """The points of so many at which it is interrupted, evenly spread."""
        return points[:: -(-len(points) // self.most)] if points else points


# files of any length are marked, so that the suite's small tables are
_marking = partial(apply_table, open_engine=partial(open_duck_engine, masking=MaskingPolicy(rows=1, share=1.0)))

ENGINES = {
    engine.name: engine
    for engine in (
        Engine("copy-on-write", apply_table),
        Engine("deletion vectors", _marking, table={"deletion_vectors": True}),
        Engine("partitions", apply_table, partitioned=True, pace=1 / 3, most=20),
        Engine(
            "partitions, deletion vectors",
            _marking,
            table={"deletion_vectors": True},
            partitioned=True,
            seldom=True,
            pace=1 / 3,
            most=10,
        ),
    )
}
if find_spec("psycopg") is not None:
    from tests.conformance import on_postgresql

    ENGINES[on_postgresql.NAME] = Engine(
        on_postgresql.NAME,
        on_postgresql.apply,
        on_postgresql.ReplicaView,
        on_postgresql.start,
        delta=False,
        seldom=True,
        pace=1 / 4,
        most=24,
    )
if find_spec("pymysql") is not None:
    from tests.conformance import on_mariadb

    if on_mariadb.is_here():
        ENGINES[on_mariadb.NAME] = Engine(
            on_mariadb.NAME,
            on_mariadb.apply,
            on_mariadb.ReplicaView,
            on_mariadb.start,
            delta=False,
            infinities=False,
            seldom=True,
            pace=1 / 4,
            most=12,
        )
if on_spark.HERE:
    ENGINES["spark"] = Engine("spark", on_spark.apply, pace=1 / 24, most=2)
    ENGINES["spark in turns"] = Engine("spark in turns", on_spark.apply_in_turns, pace=1 / 24, most=2)
