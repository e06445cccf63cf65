"""Where the steps run: relations that come and go by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, Protocol

import duckdb

from catchment.changes.relations import comma, quote


class Session(Protocol):
    """Named relations made from queries. Queries are in DuckDB's dialect; an engine renders them as it needs."""

    def create(self, relation: str, query: str) -> None:
        """Make ``relation`` of a query's rows, in place of what has that name; the query may read what it replaces."""
        ...

    def define(self, relation: str, query: str) -> None:
        """Name a query's rows, for wide ones that are read once; what the query reads must stay as it is till then."""
        ...

    def append(self, relation: str, query: str) -> None:
        """Add a query's rows to ``relation``."""
        ...

    def drop(self, relation: str) -> None:
        """Forget ``relation``; a missing one is fine."""
        ...

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query that gives few."""
        ...


class DuckSession:
    """Relations as temporary tables of one DuckDB connection, which is opened when it is first needed.

    ``con`` is the connection, or what opens it.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection | Callable[[], duckdb.DuckDBPyConnection]) -> None:
        self._con = con

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The connection."""
        if callable(self._con):
            self._con = self._con()
        return self._con

    def close(self) -> None:
        """Close the connection, if it was ever opened."""
        if not callable(self._con):
            self._con.close()

    def create(self, relation: str, query: str) -> None:
        """Make ``relation`` anew of a query's rows."""
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {relation} AS {query}")

    def define(self, relation: str, query: str) -> None:
        """Name a query's rows, without keeping them."""
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW {relation} AS {query}")

    def append(self, relation: str, query: str) -> None:
        """Add a query's rows to ``relation``."""
        self.con.execute(f"INSERT INTO {relation} {query}")

    def drop(self, relation: str) -> None:
        """Forget ``relation``."""
        self.con.execute(f"DROP TABLE IF EXISTS {relation}")

    def forget(self, kept: Set[str] = frozenset()) -> None:
        """Drop all relations but these, with the memory they hold."""
        found = self.con.execute(
            "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'main'"
        ).fetchall()
        for name, kind in sorted(found, key=lambda entry: entry[1] != "VIEW"):
            if quote(name) not in kept:
                self.con.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} IF EXISTS {quote(name)}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.con.execute(query).fetchall()


def numbers(session: Session, query: str) -> tuple[int, ...]:
    """The one row of a query that counts."""
    [row] = session.rows(query)
    return tuple(int(value) for value in row)


def nothing(columns: Mapping[str, str]) -> str:
    """SELECT no row of ``columns``, which are names and DuckDB types."""
    return f"SELECT {comma(f'CAST(NULL AS {kind}) AS {quote(name)}' for name, kind in columns.items())} WHERE FALSE"
