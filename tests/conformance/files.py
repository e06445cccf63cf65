"""Landing files as DMS writes them, Parquet and CSV."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.conformance.model import File, Record

COMMIT = "2024-08-09 19:27:17.000000"


def write_parquet(
    root: Path, file: File, key: Sequence[str], types: dict[str, pa.DataType], *, sequenced: bool = True
) -> None:
    """Write a file as DMS lays it out: Op, time, columns, sequence if it was told to, before-images."""
    target = root / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, pa.Array] = {
        "Op": pa.array([record.op for record in file.records], pa.string()),
        "dms_ts": pa.array([COMMIT for _ in file.records], pa.string()),
    }
    for name in file.columns:
        values = [_value(record, name, key) for record in file.records]
        arrays[name] = pa.array(values, pa.int32() if name in file.narrow else types[name])
    if sequenced:
        arrays["dms_seq"] = pa.array([record.token for record in file.records], pa.string())
    for i, name in enumerate(key):
        olds = [record.old[i] if record.old is not None else None for record in file.records]
        arrays[f"BI_{name}"] = pa.array(olds, types[name])
    pq.write_table(pa.table(arrays), target)


def write_csv(root: Path, file: File, key: Sequence[str], *, gzipped: bool = False) -> None:
    """The same as CSV without a header: NULL is empty, text is quoted where it must be."""
    lines = []
    for record in file.records:
        values = [_value(record, name, key) for name in file.columns]
        olds = list(record.old) if record.old is not None else [None] * len(key)
        lines.append(
            ",".join(_csv(value) for value in [record.op, COMMIT, *values, record.token or None, *olds]) + "\n"
        )
    target = root / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    body = "".join(lines).encode()
    target.write_bytes(gzip.compress(body) if gzipped else body)


def _value(record: Record, name: str, key: Sequence[str]) -> Any:
    if name in key:
        return record.key[list(key).index(name)]
    return None if record.op == "D" else record.values.get(name)


def _csv(value: Any) -> str:
    if value is None:
        return ""
    text = str(value)
    if text == "" or any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
