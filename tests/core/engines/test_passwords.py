"""A user's own password: each engine's statements, parsed; PostgreSQL's are run in tests/local/source.

Scope: change_password of the engines' upkeep, with answers written down here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlglot

from catchment.engines import ENGINES

WRITTEN = {"postgresql": "ALTER ROLE owner PASSWORD 'new'", "sqlserver": "ALTER LOGIN [owner] WITH PASSWORD = 'new'"}
"""What the server answers, being asked to write the statement itself."""


@pytest.mark.parametrize(("engine", "dialect"), [("postgresql", "postgres"), ("mysql", "mysql"), ("sqlserver", "tsql")])
def test_a_password_never_stands_in_a_statement_that_we_write(engine: str, dialect: str) -> None:
    said: list[tuple[str, Sequence[object]]] = []

    def query(statement: str, parameters: Sequence[object] = (), /) -> Sequence[Sequence[Any]]:
        said.append((statement, parameters))
        return [(WRITTEN[engine],)] if statement.startswith("SELECT") else []

    upkeep = ENGINES[engine].upkeep
    assert upkeep is not None
    upkeep.change_password(query, "owner", "old'", "new'")
    ours = [(statement, parameters) for statement, parameters in said if statement != WRITTEN.get(engine)]
    assert [statement for statement, _ in said if statement == WRITTEN.get(engine)] == [
        *([WRITTEN[engine]] if engine in WRITTEN else [])
    ], "what the server has written is run"
    for statement, parameters in ours:
        assert "new'" in parameters
        assert statement.count("%s") == len(parameters)
        assert "new" not in statement.replace("%s", "")
        assert sqlglot.parse_one(statement.replace("%s", "'x'"), dialect=dialect) is not None
