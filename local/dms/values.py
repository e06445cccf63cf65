"""From the text a source gives for a value to the typed value DMS writes, a column at a time.

Full load and change stream both come through here, so that one value never arrives in two spellings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catchment.engines.dms_types import Form
from catchment.engines.postgresql.types import UNBOUNDED_VARCHAR_BYTES, interval_words
from local.dms.dates import days, microseconds
from local.dms.shapes import Column


@dataclass(frozen=True)
class Problem:
    """A value that does not survive: ``kind`` is ``data``, ``truncation`` or ``lob``; ``row`` counts from 0."""

    kind: str
    row: int
    column: str
    detail: str


@dataclass
class Converted:
    """A column's typed values with what went wrong in it. A value with a ``data`` problem is NULL."""

    values: pa.Array
    problems: list[Problem] = field(default_factory=list)


def arrow_type(column: Column, *, milliseconds: bool = False) -> pa.DataType:
    """The Arrow type whose Parquet form is what DMS writes for the column (see docs/decisions/0050)."""
    kind = column.type
    if kind.name == "NUMERIC":
        return pa.decimal128(kind.precision, kind.scale)
    if kind.name == "DATETIME":
        return pa.timestamp("ms" if milliseconds else "us", "UTC")
    plain: dict[str, pa.DataType] = {
        "INT1": pa.int8(),
        "UINT1": pa.uint8(),
        "INT2": pa.int16(),
        "UINT2": pa.uint16(),
        "UINT4": pa.uint32(),
        "UINT8": pa.uint64(),
        "BOOLEAN": pa.bool_(),
        "BYTES": pa.binary(),
        "INT4": pa.int32(),
        "INT8": pa.int64(),
        "REAL4": pa.float32(),
        "REAL8": pa.float64(),
        "DATE": pa.date32(),
        "TIME": pa.time32("ms"),
        "BLOB": pa.binary(),
    }
    return plain.get(kind.name, pa.string())


def convert(text: pa.Array, column: Column, lob_limit: int) -> Converted:
    """The typed values of a column. ``text`` is a string array, or one of bytes; ``lob_limit`` LobMaxSize in bytes.

    Example: ``convert(pa.array(["1.50"]), Column("total", dms_type("numeric(12,2)")), 32768).values``
    """
    kind = column.type
    if kind.name == "NUMERIC":
        return _decimals(text, column)
    if kind.name in ("DATETIME", "DATE"):
        return _dates(text, column)
    if kind.name == "TIME":
        return Converted(_times(text))
    if kind.delta == "binary":
        raw = text if pa.types.is_binary(text.type) else _bytes(text)
        return _cut(raw, column, lob_limit if column.is_lob else None)
    if kind.delta != "string":
        return Converted(pc.cast(text, arrow_type(column)))
    limit = lob_limit if column.is_lob else None
    if kind.name == "WSTRING" and kind.length == UNBOUNDED_VARCHAR_BYTES:
        limit = UNBOUNDED_VARCHAR_BYTES
    return _cut(_words(text, kind.form), column, limit)


def _words(text: pa.Array, form: Form) -> pa.Array:
    if form is Form.TRIMMED:
        return pc.utf8_rtrim(text, " ")
    if form is Form.BOOLEAN_WORDS:
        return pc.if_else(
            pc.equal(text, "t"), "true", pc.if_else(pc.is_null(text), pa.scalar(None, pa.string()), "false")
        )
    if form is Form.INTERVAL_WORDS:
        return pa.array([None if value is None else interval_words(value) for value in text.to_pylist()], pa.string())
    return text


def _decimals(text: pa.Array, column: Column) -> Converted:
    kind = column.type
    target = pa.decimal128(kind.precision, kind.scale)
    if kind.form is Form.MONEY:
        text = pc.replace_substring_regex(text, r"[^0-9.\-]", "")
    try:
        return Converted(pc.cast(text, target))
    except pa.ArrowInvalid:
        cut = pc.replace_substring_regex(text, rf"(\.\d{{{kind.scale}}})\d+$", r"\1")
        cut = pc.replace_substring_regex(cut, r"^-?(NaN|Infinity)$", "")
        cut = pc.if_else(pc.equal(cut, ""), pa.scalar(None, pa.string()), cut)
        fits = pc.match_substring_regex(cut, rf"^-?\d{{1,{max(kind.precision - kind.scale, 1)}}}(\.\d*)?$")
        return _keep(text, cut, fits, column, lambda good: pc.cast(good, target))


def _keep(
    text: pa.Array, cut: pa.Array, fits: pa.Array, column: Column, cast: Callable[[pa.Array], pa.Array]
) -> Converted:
    misfits = np.flatnonzero(pc.invert(pc.fill_null(fits, True)).to_numpy(zero_copy_only=False))
    problems = [Problem("data", int(row), column.name, f"{text[int(row)]} does not fit") for row in misfits]
    return Converted(cast(pc.if_else(fits, cut, pa.scalar(None, pa.string()))), problems)


def _dates(text: pa.Array, column: Column) -> Converted:
    is_date = column.type.name == "DATE"
    try:
        if is_date:
            return Converted(pc.cast(pc.cast(text, pa.timestamp("s")), pa.date32()))
        zoned = pc.match_substring_regex(text, r"[+-]\d\d(:\d\d)?$") if len(text) else pa.array([], pa.bool_())
        if pc.all(zoned, min_count=0).as_py():
            return Converted(pc.cast(text, pa.timestamp("us", "UTC")))
        return Converted(pc.cast(pc.cast(text, pa.timestamp("us")), pa.timestamp("us", "UTC")))
    except pa.ArrowInvalid:
        return _dates_one_by_one(text, column, days if is_date else microseconds)


def _dates_one_by_one(text: pa.Array, column: Column, parse: Callable[[str], int]) -> Converted:
    bound = 2**31 if column.type.name == "DATE" else 2**63
    numbers: list[int | None] = []
    problems: list[Problem] = []
    for row, value in enumerate(text.to_pylist()):
        number = None if value is None else parse(value)
        if number is not None and not -bound <= number < bound:
            problems.append(Problem("data", row, column.name, f"{value} is beyond what the file can hold"))
            number = None
        numbers.append(number)
    whole = pa.array(numbers, pa.int32() if bound == 2**31 else pa.int64())
    return Converted(whole.cast(arrow_type(column)), problems)


def _times(text: pa.Array) -> pa.Array:
    # timetz keeps its time of day and loses its zone; 24:00:00 is a time of day in PostgreSQL and not in Arrow's parser
    local = pc.replace_substring_regex(text, r"[+-]\d\d(:\d\d){0,2}$", "")
    midnight = pc.equal(local, "24:00:00")
    local = pc.if_else(midnight, "00:00:00", local)
    stamp = pc.cast(pc.binary_join_element_wise("1970-01-01", local, " "), pa.timestamp("us"))
    milliseconds = pc.divide(pc.cast(stamp, pa.int64()), 1000)
    return pc.cast(pc.if_else(midnight, 86_400_000, milliseconds), pa.int32()).cast(pa.time32("ms"))


def _bytes(text: pa.Array) -> pa.Array:
    digits = pc.cast(pc.utf8_slice_codeunits(text, 2), pa.large_string())
    digits = pa.concat_arrays([digits])
    _, offsets, data = digits.buffers()
    bounds = np.frombuffer(offsets, np.int64)[digits.offset : digits.offset + len(digits) + 1]
    raw = bytes.fromhex(data.to_pybytes()[bounds[0] : bounds[-1]].decode()) if data is not None and len(bounds) else b""
    halves = (bounds - bounds[0]) // 2
    mask = pc.is_null(digits).to_numpy(zero_copy_only=False)
    whole = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(digits), [None, pa.py_buffer(halves.tobytes()), pa.py_buffer(raw)]
    )
    return pc.cast(pc.if_else(pa.array(mask), pa.scalar(None, pa.large_binary()), whole), pa.binary())


def _cut(values: pa.Array, column: Column, limit: int | None) -> Converted:
    if limit is None or len(values) == 0:
        return Converted(values)
    # NCLOB is counted in UTF-16, two bytes for a character of the basic plane (AWS DMS User Guide, PostgreSQL LOBs)
    wide = column.type.name == "NCLOB"
    lengths = pc.multiply(pc.binary_length(values), 2 if wide else 1)
    suspects = np.flatnonzero(pc.fill_null(pc.greater(lengths, limit), False).to_numpy(zero_copy_only=False))
    if not len(suspects):
        return Converted(values)
    kind = "lob" if column.is_lob else "truncation"
    problems: list[Problem] = []
    shortened: dict[int, Any] = {}
    for row in map(int, suspects):
        value = values[row].as_py()
        short = _shorten(value, limit, wide)
        if short != value:
            shortened[row] = short
            problems.append(Problem(kind, row, column.name, f"longer than {limit} bytes"))
    if not shortened:
        return Converted(values)
    mask = np.zeros(len(values), bool)
    mask[list(shortened)] = True
    return Converted(
        pc.replace_with_mask(values, pa.array(mask), pa.array(list(shortened.values()), values.type)), problems
    )


def _shorten(value: Any, limit: int, wide: bool) -> Any:
    if isinstance(value, bytes):
        return value[:limit]
    if wide:
        return value.encode("utf-16-le")[: limit - limit % 2].decode("utf-16-le", "ignore")
    return value.encode()[:limit].decode(errors="ignore")
