"""Every type of every source, in the form DMS writes it, becomes its Delta type with its value exact at the extremes.

Scope: from a Parquet or CSV landing file of one column per type to the Delta table, as deltalake reads it.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from catchment.apply import Budget, apply_table
from catchment.engines import ENGINES
from catchment.engines.dms_types import DmsType
from catchment.errors import TypeRefused
from catchment.landing.contract import load_contracts
from catchment.leases import MemoryLease
from catchment.storage import open_store

UTC = dt.UTC
MOMENTS = [
    dt.datetime(1, 1, 1, tzinfo=UTC),
    dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]
TEXTS = ["", " blanks ", 'quote " and, comma', "line\r\nend", "åß漢字🙂", "NULL", "\\N"]
BYTES = [b"", b"\x00", b"\xff\x00\x80", bytes(range(256))]
DOUBLES = [-0.0, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 0.1, float("inf"), float("-inf")]
FLOATS = [-0.0, 1.401298464324817e-45, 3.4028234663852886e38, 0.10000000149011612, float("-inf")]


def around(low: int, high: int) -> list[int]:
    return [low, low + 1, -1 if low < 0 else 1, 0, high - 1, high]


def decimals(kind: DmsType) -> list[Decimal]:
    nines = (9,) * kind.precision
    return [Decimal((sign, digits, -kind.scale)) for sign, digits in ((0, nines), (1, nines), (0, (1,)), (0, (0,)))]


# DMS type -> how Parquet holds it, and its extremes (AWS DMS User Guide, "Using Amazon S3 as a target", Parquet).
FORMS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "INT1": (pa.int8(), around(-(2**7), 2**7 - 1)),
    "INT2": (pa.int16(), around(-(2**15), 2**15 - 1)),
    "INT4": (pa.int32(), around(-(2**31), 2**31 - 1)),
    "INT8": (pa.int64(), around(-(2**63), 2**63 - 1)),
    "UINT1": (pa.uint8(), around(0, 2**8 - 1)),
    "UINT2": (pa.uint16(), around(0, 2**16 - 1)),
    "UINT4": (pa.uint32(), around(0, 2**32 - 1)),
    "UINT8": (pa.uint64(), around(0, 2**64 - 1)),
    "REAL4": (pa.float32(), FLOATS),
    "REAL8": (pa.float64(), DOUBLES),
    "BOOLEAN": (pa.bool_(), [True, False]),
    "DATE": (pa.date32(), [dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1969, 12, 31)]),
    "DATETIME": (pa.timestamp("us", "UTC"), MOMENTS),
    "TIME": (pa.time32("ms"), [dt.time(0), dt.time(23, 59, 59, 999000)]),
    **{name: (pa.string(), TEXTS) for name in ("STRING", "WSTRING", "CLOB", "NCLOB")},
    **{name: (pa.binary(), BYTES) for name in ("BYTES", "BLOB")},
    "CHAR": (pa.string(), ["true", "false"]),
}
CASES = [(engine, declared) for engine, known in ENGINES.items() for declared in known.types.DOCUMENTED]


def form_of(kind: DmsType) -> tuple[pa.DataType, list[Any]]:
    if kind.name == "NUMERIC":
        return pa.decimal128(kind.precision, kind.scale), decimals(kind)
    return FORMS[kind.name]


def kinds(engine: str) -> dict[str, DmsType]:
    """One column per documented type."""
    known = ENGINES[engine].types
    return {f"c{i}": known.dms_type(declared) for i, declared in enumerate(known.DOCUMENTED)}


def columns_of(engine: str) -> dict[str, list[Any]]:
    """Values of each column, as many everywhere: the extremes, then NULL."""
    values = {name: [*form_of(kind)[1], None] for name, kind in kinds(engine).items()}
    rows = max(map(len, values.values()))
    return {name: found + [None] * (rows - len(found)) for name, found in values.items()}


def land_parquet(folder: Path, engine: str) -> None:
    values = columns_of(engine)
    rows = len(next(iter(values.values())))
    arrays = {"Op": pa.array(["I"] * rows), "id": pa.array(range(rows), pa.int32())}
    arrays |= {name: pa.array(values[name], form_of(kind)[0]) for name, kind in kinds(engine).items()}
    pq.write_table(pa.table(arrays), folder / "LOAD00000001.parquet")


def in_csv(value: Any, kind: DmsType) -> str:
    """A value as DMS writes it into CSV: hex for bytes, an exponent for floats."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return f"{value:+.8e}" if kind.name == "REAL4" else f"{value:+.17e}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")
    if isinstance(value, dt.time):
        return value.isoformat("milliseconds")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def land_csv(folder: Path, engine: str) -> None:
    values, known = columns_of(engine), kinds(engine)
    rows = len(next(iter(values.values())))

    def field(name: str, row: int) -> str:
        value = values[name][row]
        return "" if value is None else '"' + in_csv(value, known[name]).replace('"', '""') + '"'

    lines = [",".join(['"I"', str(row), *(field(name, row) for name in values)]) for row in range(rows)]
    (folder / "LOAD00000001.csv").write_bytes(("\n".join(lines) + "\n").encode())


def apply(root: Path, landing: dict[str, Any], columns: dict[str, str] | None) -> DeltaTable:
    text = json.dumps({"landing": landing, "tables": {"s.t": {"key": ["id"], "columns": columns}}})
    [agreed] = load_contracts(text).values()
    account = apply_table(
        contract=agreed,
        landing=open_store(root / "landing"),
        lake=open_store(root / "lake"),
        quarantine=open_store(root / "quarantine"),
        lease=MemoryLease(),
        budget=Budget(memory_mb=512),
        now=lambda: dt.datetime.now(UTC),
    )
    assert account.counts.quarantined == 0, [path.read_text() for path in (root / "quarantine").rglob("*.jsonl")]
    return DeltaTable(root / "lake/s/t")


def plain(value: Any) -> str:
    """A value's text, in which minus zero and every digit can be seen."""
    if isinstance(value, dt.time):
        return value.isoformat("milliseconds")
    return value if isinstance(value, str) else repr(value) if isinstance(value, bytes) else str(value)


def check(delta: DeltaTable, engine: str) -> None:
    types = {field.name: str(field.type.type) for field in delta.schema().fields}  # type: ignore[union-attr]
    table = delta.to_pyarrow_table().sort_by("id")
    wrong = {}
    for (name, kind), declared in zip(kinds(engine).items(), ENGINES[engine].types.DOCUMENTED, strict=True):
        values = columns_of(engine)[name]
        found = table.column(name).to_pylist()
        if types[name] != kind.delta or list(map(plain, found)) != list(map(plain, values)):
            wrong[declared] = (types[name], kind.delta, found, values)
    assert wrong == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_type_arrives_exactly_from_parquet(tmp_path: Path, engine: str) -> None:
    folder = tmp_path / "landing/s/t"
    folder.mkdir(parents=True)
    land_parquet(folder, engine)
    check(apply(tmp_path, {}, None), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_type_arrives_exactly_from_csv(tmp_path: Path, engine: str) -> None:
    folder = tmp_path / "landing/s/t"
    folder.mkdir(parents=True)
    land_csv(folder, engine)
    columns = {"id": "integer"} | {name: kind.delta for name, kind in kinds(engine).items()}
    check(apply(tmp_path, {"format": "csv", "header": False}, columns), engine)


@pytest.mark.parametrize(
    ("engine", "declared"),
    [
        ("mysql", "bit(7)"),
        ("mysql", "decimal(65,30)"),
        ("mysql", "uuid"),
        ("sqlserver", "sql_variant"),
        ("sqlserver", "dbo.address"),
        ("sqlserver", "address"),
        ("oracle", "BFILE"),
        ("oracle", "ROWID"),
        ("oracle", "SDO_GEOMETRY"),
    ],
)
def test_a_type_that_cannot_be_carried_is_refused_by_name(engine: str, declared: str) -> None:
    with pytest.raises(TypeRefused, match=declared.replace("(", r"\(").replace(")", r"\)")):
        ENGINES[engine].types.dms_type(declared)
