"""Data files of a Delta table by Delta's own reader and writer for Spark; committing is not theirs.

What is asked of Delta's JVM classes is here and nowhere else: to read chosen files of a table (with their deletion
vectors, partition values and missing columns), and to write rows as new files with their statistics. The commit is put
by catchment.sinks.delta_table, as every engine's is (docs/decisions/0070).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from pyspark.sql import Column, DataFrame
from pyspark.sql import SparkSession as Spark
from pyspark.sql.functions import col

from catchment.sinks.delta_actions import Action, Add, Metadata, line

FILE = "~path"
"""The column of a file's rows that tells the file: see DeltaFiles.path_of."""

SPLIT_BYTES = 256 * 1024 * 1024
# A task takes files for as long as their sizes and this much for each are below the limit: so only one.
_APART = {"spark.sql.files.maxPartitionBytes": f"{SPLIT_BYTES}b", "spark.sql.files.openCostInBytes": f"{SPLIT_BYTES}b"}


class DeltaFiles:
    """The data files of the table at ``url``, as Spark spells it."""

    def __init__(self, spark: Spark, url: str) -> None:
        self._spark, self._url = spark, url
        jvm: Any = spark._jvm
        self._logs = jvm.org.apache.spark.sql.delta.DeltaLog
        self._actions = getattr(getattr(jvm.org.apache.spark.sql.delta.actions, "Action$"), "MODULE$")
        self._none = getattr(getattr(jvm.scala, "None$"), "MODULE$")
        self._jvm = jvm
        self._root = unquote(urlsplit(url).path).rstrip("/") + "/"

    def forget(self) -> None:
        """Have Delta look at the table anew: one that was removed and built again is not the old one."""
        self._logs.invalidateCache(self._spark._jsparkSession, self._jvm.org.apache.hadoop.fs.Path(self._url))

    def read(self, adds: Iterable[Add]) -> DataFrame:
        """The rows of these files, as the table's columns and FILE."""
        log = self._log()
        wanted = self._jvm.java.util.ArrayList()
        for add in adds:
            wanted.append(self._action(add))
        sequence = self._jvm.org.apache.spark.api.python.PythonUtils.toSeq(wanted)
        snapshot = log.update(False, self._none, self._none)
        frame = DataFrame(log.createDataFrame(snapshot, sequence, False, self._none), self._spark)
        return frame.select("*", _file().alias(FILE))

    def path_of(self, file: str) -> str:
        """The path of an add action for a value of FILE."""
        path = unquote(file)
        return path[path.index(self._root) + len(self._root) :]

    def write(self, rows: DataFrame, table: Metadata, *, apart: bool = False) -> list[Add]:
        """Write rows as files of ``table``, which need not exist yet. They belong to it once their actions do.

        ``apart``: rows of different files, up to SPLIT_BYTES of them, are not put together into one.
        """
        transaction = self._log().startTransaction()
        transaction.updateMetadata(self._action(table), False)
        with self._set(_APART if apart else {}):
            written = transaction.writeFiles(rows._jdf)
        said = (json.loads(written.apply(i).json()) for i in range(written.size()))
        found = (Add.from_json(action["add"]) for action in said if "add" in action)
        return [add for add in found if add.records != 0]

    @contextmanager
    def _set(self, settings: Mapping[str, str]) -> Iterator[None]:
        before = {name: self._spark.conf.get(name) for name in settings}
        try:
            for name, value in settings.items():
                self._spark.conf.set(name, value)
            yield
        finally:
            for name, value in before.items():
                self._spark.conf.set(name, value)

    def _log(self) -> Any:
        return self._logs.forTable(self._spark._jsparkSession, self._url)

    def _action(self, action: Action) -> Any:
        return self._actions.fromJson(json.dumps(line(action)))


def _file() -> Column:
    return col("_metadata.file_path")
