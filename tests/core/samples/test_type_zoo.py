"""Scope: the type zoo of each engine: every type that the guide names, and statements that its parser takes."""

from typing import Any

import pytest
import sqlglot

from catchment.engines import ENGINES
from catchment.engines.sqlserver import samples as sqlserver
from catchment.samples.catalogue import KINDS, sample_system
from catchment.samples.seeding import Seeding
from catchment.samples.zoo import type_zoo

WITH_SAMPLES = {name: facts.samples for name, facts in ENGINES.items() if facts.samples is not None}


@pytest.mark.parametrize("name", WITH_SAMPLES)
def test_the_zoo_has_every_documented_type_once(name: str) -> None:
    columns = [column for table in type_zoo(WITH_SAMPLES[name].zoo).tables for column in table.columns if column.own]
    assert sorted(column.type for column in columns) == sorted(ENGINES[name].types.DOCUMENTED)
    assert len({column.name for column in columns}) == len(columns)


class Recorder:
    """A connection that keeps what it is told to execute."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.description = None

    def cursor(self) -> "Recorder":
        return self

    def execute(self, statement: str, parameters: Any = ()) -> None:
        self.statements.append(statement.replace("%s", "''") if parameters else statement)
        self.description = [()] if statement.startswith("SELECT") else None

    def fetchall(self) -> list[Any]:
        return []


@pytest.mark.parametrize("kind", KINDS)
def test_sql_server_is_told_what_its_parser_takes(kind: str) -> None:
    recorder = Recorder()
    Seeding(recorder, sqlserver, sample_system(kind, sqlserver), seed=7).write(rows=3000)
    statements = [text for text in recorder.statements if "[catchment_samples]" not in text]
    for statement in statements:
        # sqlglot knows no static methods of types; they are spelt as the guide has them
        parsed = sqlglot.parse_one(statement.replace("::", "."), dialect="tsql")
        assert not isinstance(parsed, sqlglot.exp.Command) or statement.split()[0] in ("BEGIN", "COMMIT"), statement
    inserts = [text for text in statements if text.startswith("INSERT")]
    assert len(inserts) >= len(sample_system(kind, sqlserver).tables)
    assert all(text.count("\n") <= 1000 for text in inserts), "SQL Server takes a thousand rows in a statement"
