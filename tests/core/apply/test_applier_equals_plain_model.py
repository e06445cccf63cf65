"""The applier against a plain Python model: any history, any split, any order of delivery, any repetition.

Scope: catchment.apply, catchment.changes and catchment.sinks together, real Parquet files, real Delta tables.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from catchment.apply import Account, Budget, apply_table
from catchment.landing.contract import load_contracts
from catchment.leases import MemoryLease
from catchment.storage import open_store
from tests.conformance.files import write_csv, write_parquet
from tests.conformance.model import File, Record, meaning, token

KEY = ("tenant", "code")
TYPES = {"tenant": pa.int32(), "code": pa.string(), "v": pa.int64(), "w": pa.string(), "x": pa.float64()}
EXTRA = ("v", "w", "x")
KEYS = [(1, "a"), (1, "A"), (1, "a "), (2, "a"), (2, "")]
CONTRACT = """
landing: {timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}
tables:
  s.t: {key: [tenant, code]}
"""


FORMS = {
    "parquet": CONTRACT,
    "without sequence": CONTRACT.replace("sequence_column: dms_seq, ", ""),
    "csv": CONTRACT.replace("landing: {", "landing: {format: csv, ").replace(
        "code]}", "code], columns: {tenant: int, code: string, v: long, w: string, x: double}}"
    ),
}


def run(root: Path, form: str, budget: Budget | None = None) -> Account:
    return apply_table(
        contract=next(iter(load_contracts(FORMS[form]).values())),
        landing=open_store(root / "landing"),
        lake=open_store(root / "lake"),
        quarantine=open_store(root / "quarantine"),
        lease=MemoryLease(),
        budget=budget or Budget(),
        now=lambda: datetime.now(UTC),
    )


def land(root: Path, file: File, form: str) -> File:
    """Write the file; a CSV without header has all declared columns."""
    if form != "csv":
        write_parquet(root / "landing", file, KEY, TYPES, sequenced=form == "parquet")
        return file
    file = replace(file, path=file.path.replace(".parquet", ".csv"), columns=(*KEY, *EXTRA))
    write_csv(root / "landing", file, KEY)
    return file


def lake_rows(root: Path, columns: tuple[str, ...]) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = DeltaTable(root / "lake/s/t").to_pyarrow_table().to_pylist()
    found = {(row["tenant"], row["code"]): {name: row.get(name) for name in columns} for row in rows}
    assert len(found) == len(rows), "one key, two rows"
    return found


values = st.fixed_dictionaries(
    {
        "v": st.one_of(st.none(), st.integers(-5, 5)),
        "w": st.one_of(st.none(), st.sampled_from(["", "p", "q"])),
        "x": st.one_of(st.none(), st.sampled_from([0.0, -0.0, 1.5])),
    }
)


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Changes with rising tokens; also ones no database would send, such as updates of rows that are not there."""
    found: list[Record] = []
    number = 0
    for _ in range(draw(st.integers(1, 14))):
        number += draw(st.integers(1, 3))
        op = draw(st.sampled_from("IUUUDK"))
        key = draw(st.sampled_from(KEYS))
        if op == "K":
            found.append(Record("U", token(number), key, draw(values), draw(st.sampled_from(KEYS))))
        else:
            found.append(Record(op, token(number), key, draw(values)))
    return found


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[File]]:
    """Load files and change files of one history in any split, in steps of any order, with repetitions."""
    history = draw(records())
    cuts = sorted(draw(st.sets(st.integers(1, len(history)), max_size=4)))
    pieces = [history[a:b] for a, b in zip([0, *cuts], [*cuts, len(history)], strict=True) if a < b]
    # with all columns in all files a replay reads less of the history, which has to be tried as often
    lacking = st.lists(st.sampled_from([EXTRA, EXTRA, EXTRA[:1], EXTRA[:2]]), min_size=6, max_size=6)
    said = draw(st.just([EXTRA] * 6) | lacking)
    files = [
        File(f"s/t/2024/08/09/20240809-1{i:02d}000000.parquet", (*KEY, *said[i]), tuple(piece))
        for i, piece in enumerate(pieces)
    ]
    loaded = [Record("I", "", key, draw(values)) for key in draw(st.lists(st.sampled_from(KEYS), max_size=7))]
    half = draw(st.integers(0, len(loaded)))
    for i, part in enumerate((loaded[:half], loaded[half:])):
        files.append(File(f"s/t/LOAD0000000{i + 1}.parquet", (*KEY, *said[5]), tuple(part)))
    again = draw(st.lists(st.sampled_from(files), max_size=2))
    for i, file in enumerate(again):
        if "LOAD" not in file.path and file.records:
            part = draw(st.integers(1, len(file.records)))
            name = f"s/t/20240809-{draw(st.sampled_from(['0', '2']))}{i}1000000.parquet"
            files.append(File(name, file.columns, file.records[-part:]))
    files = [replace(file, narrow=("v",)) if draw(st.booleans()) else file for file in files]
    order = draw(st.permutations(files)) if draw(st.booleans()) else files
    steps: list[list[File]] = [[]]
    for file in order:
        if draw(st.booleans()):
            steps.append([])
        steps[-1].append(file)
    return [step for step in steps if step]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=deliveries(),
    per_commit=st.sampled_from([1, 2, 500]),
    form=st.sampled_from(["parquet", "parquet", "without sequence", "csv"]),
)
def test_table_equals_model_after_every_delivery(steps: list[list[File]], per_commit: int, form: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        delivered: list[File] = []
        watermark = 0
        for step in steps:
            delivered += [land(root, file, form) for file in step]
            account = run(root, form, Budget(commit_files=per_commit))
            note(f"{[file.path for file in step]}: {account}")
            columns = tuple(name for name in TYPES if any(name in file.columns for file in delivered))
            expected = meaning(delivered, KEY, columns, sequenced=form != "without sequence")
            assert repr(sorted(lake_rows(root, columns).items())) == repr(sorted(expected.items()))
            assert account.counts.read == sum(len(file.records) for file in step)
            assert account.rows == len(expected)
            assert account.watermark >= watermark
            watermark = account.watermark
            again = run(root, form)
            assert (again.version, again.commits, again.counts.read) == (account.version, 0, 0)
