"""Landing files of one batch as Spark relations: one task a file, and one scan of what the tasks delivered."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from pyspark.sql import DataFrame

from catchment.apply.schema import spelt_alike
from catchment.apply.staging import Opened, Staged, columns_of_rows, place_files, respell, rows_of_none
from catchment.changes.relations import ROWS, comma
from catchment.landing.names import LandingFile
from catchment.landing.types import DeltaType
from catchment.spark.session import SparkSession
from catchment.spark.start import spark_url
from catchment.spark.tasks import Failed, Reading, deliver, look
from catchment.storage import ObjectStore

T = TypeVar("T")
U = TypeVar("U")
_NUMBERS = '"~numbers"'


class SparkStage:
    """Reads landing files of one table into a session, which it empties first."""

    _ids = itertools.count(1)

    def __init__(self, session: SparkSession, reading: Reading, lake: ObjectStore, work: str) -> None:
        """``work`` is the folder of the lake that the files' rows are put into."""
        self._session, self._reading, self._lake = session, reading, lake
        self._work = work
        self._delivered: dict[str, tuple[int, str]] = {}
        session.clear()

    def open(self, file: LandingFile, spelling: Mapping[str, DeltaType]) -> Opened:
        """Fetch a file and see which columns it has, spelt as in ``spelling`` where case alone differs."""
        [opened] = self._run(partial(look, self._reading), [file])
        return opened if opened.shape is None else replace(opened, shape=spelt_alike(opened.shape, spelling))

    def open_all(self, files: Sequence[LandingFile], table: Mapping[str, DeltaType]) -> list[Opened]:
        """Open new files; what one of them calls a new column is how those after it have to spell it."""
        return respell(self._run(partial(look, self._reading), files), table)

    def read(self, opened: Opened, target: Mapping[str, DeltaType]) -> Staged:
        """Read a file's rows as the table's columns. An unreadable file is one rejected record."""
        [staged] = self.read_all([opened], target)
        return staged

    def read_all(self, opened: Sequence[Opened], target: Mapping[str, DeltaType]) -> list[Staged]:
        """Read files, each in a task of its own."""
        numbered = [(next(self._ids), each) for each in opened]
        work = partial(_deliver, self._reading, dict(target), self._lake.url, self._work)
        return [
            self._offered(number, staged)
            for (number, _), staged in zip(numbered, self._run(work, numbered), strict=True)
        ]

    def relate(self, files: Sequence[Staged], target: Mapping[str, DeltaType]) -> None:
        """Make ``"~rows"`` and ``"~files"`` (file, place) of the files, numbered as they stand in the sequence."""
        self._session.create('"~files"', place_files(files))
        columns = columns_of_rows(self._reading.contract, target)
        whole = [staged for staged in files if staged.relation and self._session.is_offered(staged.relation)]
        selects = [
            f'SELECT {staged.number} AS "~file", {columns} FROM {staged.relation}'
            for staged in files
            if staged.relation and staged not in whole
        ]
        if whole:
            self._session.view('"~delivered"', self._scan(whole))
            pairs = comma(f"({self._delivered[staged.relation][0]}, {staged.number})" for staged in whole)
            self._session.create(_NUMBERS, f'SELECT * FROM (VALUES {pairs}) AS n("~id", "~number")')
            joined = f'"~delivered" d JOIN {_NUMBERS} n ON n."~id" = d."~file"'
            selects.append(f'SELECT n."~number" AS "~file", {columns} FROM {joined}')
        query = " UNION ALL ".join(selects) or rows_of_none(self._reading.contract, target)
        self._session.create(ROWS, query)

    def _offered(self, number: int, staged: Staged) -> Staged:
        """A file's rows under a name that the steps can use, should one of them ask for this file alone."""
        self._session.expect(staged.rows)
        if not staged.relation:
            return staged
        staged.relation = f'"~landing_{number}"'
        self._delivered[staged.relation] = (number, _path(self._work, number))
        self._session.offer(staged.relation, partial(self._scan, [staged]))
        return staged

    def _scan(self, files: Iterable[Staged]) -> DataFrame:
        urls = [spark_url(f"{self._lake.url}/{self._delivered[staged.relation][1]}") for staged in files]
        return self._session.spark.read.parquet(*urls)

    def _run(self, work: Callable[[U], T | Failed], items: Sequence[U]) -> list[T]:
        if not items:
            return []
        context = self._session.spark.sparkContext
        return Failed.checked(context.parallelize(items, len(items)).map(work).collect())


def _deliver(
    reading: Reading, target: Mapping[str, DeltaType], lake: str, work: str, item: tuple[int, Opened]
) -> Staged | Failed:
    number, opened = item
    return deliver(reading, opened, target, number, lake, _path(work, number))


def _path(work: str, number: int) -> str:
    return f"{work}/{number}.parquet"
