"""CSV text as DMS writes it: quotes only where needed, empty for NULL, signed exponents for floating point.

Seen in files of DMS: ``+1.10000000e+01`` for real; that double has 17 significant digits and bytes are hexadecimal is
inferred.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class CsvStyle:
    """Delimiters and the text for NULL."""

    delimiter: str
    row_delimiter: str
    null: str

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> CsvStyle:
        """The style of S3Settings; they spell a newline as backslash and n."""
        return cls(settings["CsvDelimiter"], settings["CsvRowDelimiter"].replace("\\n", "\n"), settings["CsvNullValue"])

    def quoted(self, text: pa.Array) -> pa.Array:
        """Quote what holds a delimiter, a quote or a line break, doubling quotes."""
        needs = pc.match_substring_regex(text, f'["\\r\\n{re.escape(self.delimiter)}]')
        doubled = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
        return pc.if_else(needs, doubled, text)

    def record(self, words: Iterable[str]) -> bytes:
        """One line of text fields."""
        line = self.delimiter.join(self.quoted(pa.array(list(words), pa.string())).to_pylist())
        return (line + self.row_delimiter).encode()


def csv_lines(rows: pa.RecordBatch, style: CsvStyle) -> bytes:
    """The lines of a batch, NULL as the style says."""
    fields = [pc.fill_null(_text(column, style), style.null) for column in rows.columns]
    lines = pc.binary_join_element_wise(*fields, style.delimiter)
    ended = pc.binary_join_element_wise(lines, style.row_delimiter, "")
    _, offsets, data = pa.concat_arrays([ended]).buffers()
    bounds = np.frombuffer(offsets, np.int32)[: len(ended) + 1]
    return data.to_pybytes()[bounds[0] : bounds[-1]] if data is not None else b""


def _text(values: pa.Array, style: CsvStyle) -> pa.Array:
    kind = values.type
    if pa.types.is_string(kind):
        return style.quoted(values)
    if pa.types.is_floating(kind):
        digits = 8 if kind == pa.float32() else 16
        return pa.array([None if v is None else format(v, f"+.{digits}e") for v in values.to_pylist()], pa.string())
    if pa.types.is_binary(kind):
        return pa.array([None if v is None else v.hex() for v in values.to_pylist()], pa.string())
    if pa.types.is_timestamp(kind):
        return pc.strftime(values, "%Y-%m-%d %H:%M:%S")
    return pc.cast(values, pa.string())
