"""Statements on an open connection, of whichever driver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Query(Protocol):
    """Runs one statement on an open connection to a source, committed at once; its rows, or none.

    Parameters stand as ``%s`` in the statement, as in most drivers.
    """

    def __call__(self, statement: str, parameters: Sequence[object] = (), /) -> Sequence[Sequence[Any]]: ...


def query_of(connection: Any) -> Query:
    """Statements on a connection (DB API 2.0)."""

    def query(statement: str, parameters: Sequence[object] = (), /) -> Sequence[Sequence[Any]]:
        cursor = connection.cursor()
        # without parameters a driver leaves the percent signs of a statement alone
        cursor.execute(statement, tuple(parameters)) if parameters else cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []

    return query
