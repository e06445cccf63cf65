"""Landing files as DMS writes them, Parquet and CSV."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.conformance.model import File, Record

COMMIT = "2024-08-09 19:27:17.000000"
_NARROW = {pa.int64(): pa.int32(), pa.float64(): pa.float32(), pa.decimal128(14, 4): pa.decimal128(6, 2)}


def write_parquet(
    root: Path, file: File, key: Sequence[str], types: Mapping[str, pa.DataType], *, sequenced: bool = True
) -> None:
    """Write a file as DMS lays it out: Op, time, columns, sequence if it was told to, before-images."""
    target = root / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, pa.Array] = {
        "Op": pa.array([record.op for record in file.records], pa.string()),
        "dms_ts": pa.array([_moment(record) for record in file.records], pa.string()),
    }
    for name in file.columns:
        kind = types[name]
        values = [_value(record, name, key) for record in file.records]
        arrays[file.spelt(name)] = pa.array(values, _NARROW[kind] if name in file.narrow else kind)
    if sequenced:
        arrays["dms_seq"] = pa.array([record.token for record in file.records], pa.string())
    for i, name in enumerate(key):
        olds = [record.old[i] if record.old is not None else None for record in file.records]
        arrays[f"BI_{file.spelt(name)}"] = pa.array(olds, types[name])
    pq.write_table(pa.table(arrays), target)


def write_csv(
    root: Path, file: File, key: Sequence[str], *, gzipped: bool = False, header: bool = False, sequenced: bool = True
) -> None:
    """The same as CSV: NULL is empty, text is quoted where it must be."""
    order = ["dms_seq"] if sequenced else []
    spelt, images = map(file.spelt, file.columns), (f"BI_{file.spelt(name)}" for name in key)
    lines = [["Op", "dms_ts", *spelt, *order, *images]] if header else []
    for record in file.records:
        values = [_value(record, name, key) for name in file.columns]
        olds = list(record.old) if record.old is not None else [None] * len(key)
        lines.append([record.op, _moment(record), *values, *([record.token or None] if order else []), *olds])
    target = root / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    body = "".join(",".join(map(_csv, line)) + "\n" for line in lines).encode()
    target.write_bytes(gzip.compress(body, mtime=0) if gzipped else body)


def _moment(record: Record) -> str:
    """The time of the transaction's commit, which its rows share."""
    digits = record.token[:14]
    return f"{datetime.strptime(digits, '%Y%m%d%H%M%S'):%Y-%m-%d %H:%M:%S}.000000" if digits else COMMIT


def _value(record: Record, name: str, key: Sequence[str]) -> Any:
    if name in key:
        return record.key[list(key).index(name)]
    return None if record.op == "D" else record.values.get(name)


def _csv(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()
    text = value.isoformat() if isinstance(value, date) else str(value)
    if text == "" or any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
