"""Writing Parquet and CSV the way DMS's S3 target does."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Protocol, cast

import pyarrow as pa
import pyarrow.parquet as pq

from local.dms.csv_text import CsvStyle, csv_lines


class OpenFile(Protocol):
    """A landing file being written."""

    def write(self, rows: pa.Table) -> None:
        """Append rows."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


class FileFormat(Protocol):
    """A format of landing files. ``suffix`` comes behind the name's dot."""

    suffix: str

    def open(self, path: Path, schema: pa.Schema) -> OpenFile:
        """Begin a file with that schema."""
        ...


class ParquetFormat:
    """Parquet as seen in files of DMS: decimals as fixed-length bytes, no key/value metadata."""

    suffix = "parquet"

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """``settings`` are the endpoint's S3Settings with their defaults."""
        encoding = settings["EncodingType"]
        self._options: dict[str, Any] = {
            "version": "1.0" if settings["ParquetVersion"] == "parquet-1-0" else "2.6",
            "compression": "gzip" if settings["CompressionType"] == "gzip" else "none",
            "use_dictionary": encoding != "plain",
            "dictionary_pagesize_limit": settings["DictPageSizeLimit"],
            "data_page_size": settings["DataPageSize"],
            "write_statistics": settings["EnableStatistics"],
            "store_schema": False,
            "store_decimal_as_integer": False,
        }
        self._row_group = int(settings["RowGroupLength"])

    def open(self, path: Path, schema: pa.Schema) -> OpenFile:
        """Begin a Parquet file."""
        return _ParquetFile(pq.ParquetWriter(path, schema, **self._options), self._row_group)


class _ParquetFile:
    def __init__(self, writer: pq.ParquetWriter, row_group: int) -> None:
        self._writer, self._row_group = writer, row_group

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows, row_group_size=self._row_group)

    def close(self) -> None:
        self._writer.close()


class CsvFormat:
    """CSV, gzipped where the endpoint says so."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """``settings`` are the endpoint's S3Settings with their defaults."""
        self._gzip = settings["CompressionType"] == "gzip"
        self._header = bool(settings["AddColumnName"])
        self._style = CsvStyle.of(settings)
        self.suffix = "csv.gz" if self._gzip else "csv"

    def open(self, path: Path, schema: pa.Schema) -> OpenFile:
        """Begin a CSV file, with column names where AddColumnName says so."""
        raw = path.open("wb")
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1)) if self._gzip else raw
        if self._header:
            stream.write(self._style.record(schema.names))
        return _CsvFile(stream, raw, self._style)


class _CsvFile:
    def __init__(self, stream: IO[bytes], raw: IO[bytes], style: CsvStyle) -> None:
        self._stream, self._raw, self._style = stream, raw, style

    def write(self, rows: pa.Table) -> None:
        for batch in rows.to_batches():
            self._stream.write(csv_lines(batch, self._style))

    def close(self) -> None:
        self._stream.close()
        self._raw.close()  # gzip leaves the file below it open


def file_format(settings: Mapping[str, Any]) -> FileFormat:
    """The format the endpoint's S3Settings (with defaults) ask for."""
    return ParquetFormat(settings) if settings["DataFormat"] == "parquet" else CsvFormat(settings)
