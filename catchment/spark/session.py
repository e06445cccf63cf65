"""Relations of the steps as views of a Spark session; their SQL is rendered from DuckDB's dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import sqlglot
from pyspark.sql import DataFrame
from pyspark.sql import SparkSession as Spark
from sqlglot import exp

from catchment.changes.relations import EXISTING, ROWS

Source = Callable[[], DataFrame]
_WHOLE_ROWS = (ROWS, EXISTING)
"""To keep many of these costs more than to read and join them from their files once more."""

_IN_DRIVER = 20_000
"""Rows of a batch that the driver holds."""
_NARROW_BYTES = 150
"""About what a row of a relation takes that has keys and places, but no whole rows."""
COPY_SHARE = 16
"""Every executor may be sent a copy of a relation as large as this part of the driver's heap."""


class SparkSession:
    """Relations by name. Each is worked out once, when it is made, and forgets what it was made of.

    Plans stay small so, whatever number of steps is behind them, and a relation with few rows is known to have few.
    """

    def __init__(self, spark: Spark) -> None:
        self.spark = spark
        self._sources: dict[str, Source] = {}
        self._made: set[str] = set()
        self._rows = 0

    def create(self, relation: str, query: str) -> None:
        """Make ``relation`` anew of a query's rows."""
        frame = self.frame(query)
        self.view(relation, frame if relation in _WHOLE_ROWS and not self._few else self._worked_out(frame))

    def define(self, relation: str, query: str) -> None:
        """Name a query's rows; few of them are worked out at once, which is cheaper than to plan them again."""
        frame = self.frame(query)
        self.view(relation, self._worked_out(frame) if self._few else frame)

    def copy(self, relation: str, query: str) -> None:
        """Make ``relation`` of a query's rows, few enough for every executor to be sent a copy."""
        self.view(relation, self._worked_out(self.frame(query)).hint("broadcast"))

    def append(self, relation: str, query: str) -> None:
        """Add a query's rows to ``relation``."""
        self.view(relation, self._worked_out(self.frame(f"SELECT * FROM {relation}").unionAll(self.frame(query))))

    def drop(self, relation: str) -> None:
        """Forget ``relation``."""
        self._sources.pop(relation, None)
        self._made.discard(relation)
        self.spark.catalog.dropTempView(_bare(relation))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return [tuple(row) for row in self.frame(query).collect()]

    def frame(self, query: str) -> DataFrame:
        """A query in DuckDB's dialect, not run yet."""
        rendered, named = render(query)
        for relation in named:
            if relation in self._sources:
                self.view(relation, self._sources.pop(relation)())
        return self.spark.sql(rendered)

    def view(self, relation: str, frame: DataFrame) -> None:
        """Call ``frame``'s rows ``relation``; they are worked out wherever it is read."""
        self._sources.pop(relation, None)
        self._made.add(relation)
        frame.createOrReplaceTempView(_backquoted(relation))

    def offer(self, relation: str, source: Source) -> None:
        """Have ``relation`` made by ``source`` if ever a query names it."""
        self._sources[relation] = source

    def is_offered(self, relation: str) -> bool:
        """Whether ``relation`` is still what its source makes of it, and nobody has read it yet."""
        return relation in self._sources

    def clear(self) -> None:
        """Forget every relation."""
        for relation in list(self._made):
            self.drop(relation)
        self._sources.clear()
        self._rows = 0

    def expect(self, rows: int) -> None:
        """So many more rows are in the batch: narrow relations are as long as that, at the most."""
        self._rows += rows

    @property
    def copy_bytes(self) -> int:
        """How large a relation may be that every executor is sent a copy of."""
        jvm: Any = self.spark._jvm
        return int(jvm.java.lang.Runtime.getRuntime().maxMemory()) // COPY_SHARE

    @property
    def _few(self) -> bool:
        return self._rows <= _IN_DRIVER

    def _worked_out(self, frame: DataFrame) -> DataFrame:
        """The rows themselves in place of what they come from; few of them in the driver, which needs no job to ask."""
        if frame._jdf.queryExecution().optimizedPlan().getClass().getSimpleName() == "LocalRelation":
            return frame
        if self._few:
            found = self.spark._jsparkSession.createDataFrame(frame._jdf.collectAsList(), frame._jdf.schema())
            return DataFrame(found, self.spark)
        kept = frame.localCheckpoint()
        return kept.hint("broadcast") if kept.count() * _NARROW_BYTES <= self.copy_bytes else kept


@lru_cache(maxsize=512)
def render(query: str) -> tuple[str, Sequence[str]]:
    """A query of DuckDB's dialect in Spark's, and the relations it reads, quoted as they are."""
    tree = sqlglot.parse_one(query, read="duckdb")
    aliases = {table.alias_or_name for table in tree.find_all(exp.Table)}
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower() == "to_json" and (row := call.expressions[0].name) in aliases:
            call.replace(_record(row))
    named = [table.this.sql(dialect="duckdb") for table in tree.find_all(exp.Table)]
    return tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE), named


def _record(alias: str) -> exp.Expr:
    """A whole row as JSON, with its NULLs: Spark wants a struct where DuckDB takes the table."""
    return sqlglot.parse_one(f"TO_JSON(STRUCT(`{alias}`.*), MAP('ignoreNullFields', 'false'))", read="spark")


def _bare(relation: str) -> str:
    return relation.strip('"').replace('""', '"')


def _backquoted(relation: str) -> str:
    return "`" + _bare(relation).replace("`", "``") + "`"
