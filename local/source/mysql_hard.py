"""Schema hard of the laptop's MySQL: one table per hard case, the same as PostgreSQL's where both have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain, repeat
from random import Random
from typing import Any
from uuid import UUID

from local.source.mysql_types import COLUMNS, LEAST, MOST

Row = tuple[Any, ...]

# Of the collations only those with "nopad" hold 'a' and 'a ' apart, and only "bin" tells 'a' from 'A'.
BINARY_TEXT = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"

TABLES: Mapping[str, str] = {
    "composite_key": f"""
        tenant char(36) NOT NULL, code varchar(40) {BINARY_TEXT} NOT NULL, n int NOT NULL, amount decimal(12,2),
        note varchar(60), PRIMARY KEY (tenant, code, n)""",
    "no_key": "happened_at datetime(6) NOT NULL, kind varchar(20) NOT NULL, amount decimal(12,2), note varchar(60)",
    "text_key": f"code varchar(64) {BINARY_TEXT} NOT NULL PRIMARY KEY, title varchar(100), n int NOT NULL",
    "caseless_key": "code varchar(64) COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, n int unsigned NOT NULL",
    "Mixed Case": """
        Id int NOT NULL PRIMARY KEY, `Customer Name` varchar(40), camelCase varchar(40), `UPPER` int,
        `Größe` decimal(6,1), `from` date, `semi-colon's` varchar(40)""",
    "order": """
        id int NOT NULL PRIMARY KEY, `select` varchar(40), `group` int, `table` varchar(40), `user` varchar(40),
        `where` datetime, `null` tinyint(1)""",
    "every_type": ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()),
    "large_values": """
        id int NOT NULL PRIMARY KEY, body longtext, document json, picture longblob, touched int NOT NULL""",
    "evolving": "id int NOT NULL PRIMARY KEY, name varchar(20), counter int, price decimal(8,2)",
    "swaps": "id int NOT NULL PRIMARY KEY, label varchar(40) NOT NULL, n int NOT NULL",
}
"""The tables of the schema, with their columns."""

ODD_CODES = (
    *("", " ", "  ", "a", "A", "a ", " a", "ä", "a\u0308", "ß", "SS", "日本語", "\U0001f600", "it's", '"quoted"'),
    *("back\\slash", "tab\there", "line\nbreak", "%_", "NULL"),
)


def _composite_key(rng: Random, rows: int) -> Iterator[Row]:
    tenants = [str(UUID(int=rng.getrandbits(128))) for _ in range(40)]
    for i in range(rows):
        note = rng.choice((None, f"note {i % 1000}"))
        code = ("alpha", "Alpha", "be ta", "γάμμα")[i // 40 % 4]
        yield tenants[i % 40], code, i // 160, Decimal(rng.randrange(10**9)).scaleb(-2), note


def _no_key(_rng: Random, rows: int) -> Iterator[Row]:
    for i in range(rows):
        happened = datetime(2025, 6, 1) + timedelta(minutes=i // 3)
        note = "" if i % 7 == 0 else "the same thing twice" if i % 11 else None
        yield happened, ("login", "logout", "click")[i // 3 % 3], None if i % 5 == 0 else Decimal(i // 3) / 4, note


def _text_key(_rng: Random, rows: int) -> Iterator[Row]:
    codes = chain(ODD_CODES, (f"{i * 2654435761 % 2**48:012x}-{i}" for i in range(rows - len(ODD_CODES))))
    for i, code in enumerate(codes):
        yield code, f"title {i}" if i % 9 else None, i


def _caseless_key(_rng: Random, rows: int) -> Iterator[Row]:
    for i in range(rows):
        yield f"{('Straße', 'éa', 'KEY', 'ñu ')[i % 4]}{i}", 2**32 - 1 - i


def _mixed_case(_rng: Random, rows: int) -> Iterator[Row]:
    for i in range(1, rows + 1):
        camel = f"camel{i}" if i % 3 else None
        yield i, f"Name {i}", camel, i * 7, Decimal(i) / 8, date(2026, 1, 1) + timedelta(days=i % 365), f"it's; {i}"


def _order(_rng: Random, rows: int) -> Iterator[Row]:
    for i in range(1, rows + 1):
        user = f"user{i}" if i % 4 else None
        yield i, f"select {i}", i % 10, "table;--", user, datetime(2026, 1, 1) + timedelta(hours=i), i % 3 == 0


def _every_type(_rng: Random, rows: int) -> Iterator[Row]:
    zeros = {"c_date": "0000-00-00", "c_datetime": "0000-00-00 00:00:00", "c_timestamp": "0000-00-00 00:00:00"}
    models: list[Mapping[str, Any]] = [LEAST, MOST, {}, zeros, {"c_date": "2024-02-00", "c_tiny_u": 200}]
    for i in range(1, rows + 1):
        model = {**models[i % len(models)], "id": i}
        yield tuple(model.get(name) for name in COLUMNS)


def _large_values(rng: Random, rows: int) -> Iterator[Row]:
    for i in range(1, rows + 1):
        noise = rng.randbytes(4700 + i % 120)
        body = {0: None, 1: "", 2: "short"}.get(i % 10, noise.hex())
        yield i, body, f'{{"id": {i}, "größe": 1.50, "noise": "{noise[:50].hex()}"}}', None if i % 4 == 0 else noise, 0


def _evolving(_rng: Random, rows: int) -> Iterator[Row]:
    return ((i, f"name {i}", i * 1000 if i % 6 else None, Decimal(i) / 4) for i in range(1, rows + 1))


def _swaps(_rng: Random, rows: int) -> Iterator[Row]:
    return ((i, f"row {i}", i % 13) for i in range(1, rows + 1))


_ROWS: Mapping[str, Callable[[Random, int], Iterator[Row]]] = {
    "composite_key": _composite_key,
    "no_key": _no_key,
    "text_key": _text_key,
    "caseless_key": _caseless_key,
    "Mixed Case": _mixed_case,
    "order": _order,
    "every_type": _every_type,
    "large_values": _large_values,
    "evolving": _evolving,
    "swaps": _swaps,
}


def seed_hard(cursor: Any, counts: Mapping[str, int], seed: int) -> None:
    """Create the schema in a session without strict mode, with so many rows per table."""
    cursor.execute("CREATE DATABASE hard CHARACTER SET utf8mb4")
    for table, columns in TABLES.items():
        cursor.execute(f"CREATE TABLE hard.`{table}` ({columns})")
        rows = list(_ROWS[table](Random(f"{seed} {table}"), counts[table]))  # noqa: S311
        marks = ", ".join(repeat("%s", len(rows[0])))
        cursor.executemany(f"INSERT INTO hard.`{table}` VALUES ({marks})", rows)
