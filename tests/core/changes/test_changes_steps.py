"""The relational steps one by one, on small relations. Scope: catchment.changes, DuckDB only.

What they mean together is held to a plain model in tests/conformance.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
import sqlglot

from catchment.changes import account, effects, fill, guard, keyless, net
from catchment.changes.relations import EFFECTS, HITS, UNCHANGED, UPSERTS, VERDICTS, WINNERS
from catchment.changes.session import DuckSession, nothing
from catchment.changes.upserts import upserts

KEY = ["a", "b"]


@pytest.fixture
def session() -> Iterator[DuckSession]:
    """Two files: a swap of two keys through a third, and a row written three times in one transaction."""
    with duckdb.connect() as found:
        found.execute(
            'CREATE TEMP TABLE "~rows" ("~file" INTEGER, "~op" VARCHAR, "~seq" VARCHAR, "~row" BIGINT, '
            'a INTEGER, b VARCHAR, v VARCHAR, "~old_0" INTEGER, "~old_1" VARCHAR)'
        )
        found.execute(
            """INSERT INTO "~rows" VALUES
            (0, 'U', '1', 1, 9, 'x', 'one', 1, 'x'), (0, 'U', '2', 2, 1, 'x', 'two', 2, 'x'),
            (0, 'U', '3', 3, 2, 'x', 'one', 9, 'x'), (0, 'U', '4', 4, 3, 'x', 'first', NULL, NULL),
            (1, 'U', '4', 1, 3, 'x', 'second', NULL, NULL), (1, 'U', '4', 2, 3, 'x', 'third', 3, NULL),
            (1, 'D', '5', 3, 4, 'x', NULL, NULL, NULL)"""
        )
        found.execute('CREATE TEMP TABLE "~files" (file INTEGER, place INTEGER)')
        found.execute('INSERT INTO "~files" VALUES (0, 0), (1, 1)')
        yield DuckSession(found)


def test_a_key_change_is_a_delete_and_an_arrival(session: DuckSession) -> None:
    session.create(EFFECTS, effects.order(KEY, 2, loads_only=False))
    found = session.rows('SELECT kind, k0, k1 FROM "~effects" ORDER BY ord')
    swap = [("D", 1, "x"), ("K", 9, "x"), ("D", 2, "x"), ("K", 1, "x"), ("D", 9, "x"), ("K", 2, "x")]
    assert found == [*swap, ("U", 3, "x"), ("U", 3, "x"), ("U", 3, "x"), ("D", 4, "x")]
    assert session.rows(account.key_changes(KEY, 2)) == [(3,)]


def test_a_part_of_the_key_without_before_image_is_as_it_was(session: DuckSession) -> None:
    row = "(0, 'U', '1', 1, 9, 'x', 'one', 8, CAST(NULL AS VARCHAR))"
    session.create(
        '"~rows"', f'SELECT * FROM (VALUES {row}) t("~file", "~op", "~seq", "~row", a, b, v, "~old_0", "~old_1")'
    )
    session.create(EFFECTS, effects.order(KEY, 1, loads_only=False))
    assert session.rows('SELECT kind, k0, k1 FROM "~effects" ORDER BY ord') == [("D", 8, "x"), ("K", 9, "x")]


def test_the_last_effect_of_a_key_wins_and_the_guard_judges_it(session: DuckSession) -> None:
    session.create(EFFECTS, effects.order(KEY, 2, loads_only=False))
    session.create(WINNERS, net.winners(2))
    winners = session.rows(f"SELECT k0, kind, file, line, ord FROM {WINNERS} ORDER BY k0")
    assert [row[:4] for row in winners] == [
        (1, "K", 0, 2),
        (2, "K", 0, 3),
        (3, "U", 1, 2),
        (4, "D", 1, 3),
        (9, "D", 0, 3),
    ]
    ords = {row[0]: row[4] for row in winners}
    session.create(HITS, nothing({"ord": "BIGINT", "part": "INTEGER", "pos": "BIGINT", "token": "VARCHAR"}))
    session.append(HITS, f"VALUES ({ords[1]}, 0, 0, '1'), ({ords[2]}, 0, 1, '3'), ({ords[3]}, 0, 2, '7')")
    session.create(VERDICTS, guard.verdicts())
    found = session.rows(f"SELECT k0, verdict, neutral FROM {VERDICTS} ORDER BY k0")
    assert found == [(1, "older", False), (2, "same", False), (3, "newer", False), (4, "new", False), (9, "new", True)]
    session.create(UNCHANGED, nothing({"ord": "BIGINT"}))
    session.create(UPSERTS, upserts(["a", "b", "v"], {}))
    written = session.rows('SELECT a, v, _catchment_seq FROM "~upserts" ORDER BY a')
    assert written == [(1, "two", "2"), (2, "one", "3")]
    assert session.rows(account.surviving()) == [(4, 3)]
    assert session.rows(account.moved()) == [(0, 2, 0)]


@pytest.mark.parametrize(
    "sql",
    [
        effects.order(KEY, 2, loads_only=False),
        effects.order(KEY, 2, loads_only=True),
        effects.touched(KEY, "landing_1"),
        effects.touching(KEY, "landing_1"),
        net.winners(2),
        guard.verdicts(),
        guard.unchanged({"a": "integer", "x": "double"}),
        upserts(["a", "v"], {"v": '"~fill_0"'}),
        fill.steps(2, [0, 1]),
        fill.trail([0]),
        fill.hop([0]),
        fill.values("v", 2),
        account.surviving(),
        account.moved(),
        keyless.appends(["a"]),
    ],
)
def test_the_steps_are_sql_that_spark_reads_too(sql: str) -> None:
    translated = sqlglot.transpile(sql, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
    assert len(translated) == 1
    sqlglot.parse_one(translated[0], read="spark")
