"""Keys of landing objects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

_SEQUENCES = {
    "YYYYMMDD": ("%Y", "%m", "%d"),
    "YYYYMMDDHH": ("%Y", "%m", "%d", "%H"),
    "YYYYMM": ("%Y", "%m"),
    "MMYYYYDD": ("%m", "%Y", "%d"),
    "DDMMYYYY": ("%d", "%m", "%Y"),
}
_DELIMITERS = {"SLASH": "/", "UNDERSCORE": "_", "DASH": "-", "NONE": ""}


class KeyNames:
    """Builds the keys of one endpoint's objects. Times are microseconds since 1970, UTC."""

    def __init__(self, settings: Mapping[str, Any], suffix: str) -> None:
        """``settings`` are S3Settings with defaults."""
        self._root = f"{settings['BucketFolder'].strip('/')}/" if settings["BucketFolder"].strip("/") else ""
        self._suffix = suffix
        self._parts = _SEQUENCES[settings["DatePartitionSequence"]] if settings["DatePartitionEnabled"] else ()
        self._delimiter = _DELIMITERS[settings["DatePartitionDelimiter"]]

    def table_folder(self, folder: str) -> str:
        """The key prefix of a table, without a closing slash."""
        return self._root + folder

    def load(self, folder: str, number: int, segment: int | None = None) -> str:
        """``…/LOAD0000000A.parquet``: eight hexadecimal digits in capitals, counted from 1.

        Of a part of a table: ``…/SEGMENT2_LOAD0000000A.parquet``.
        """
        part = "" if segment is None else f"SEGMENT{segment}_"
        return f"{self._root}{folder}/{part}LOAD{number:08X}.{self._suffix}"

    def changes(self, folder: str, named: int, dated: int) -> str:
        """``…/2026/03/01/20260301-090610254.parquet``: named by one moment, in the date folder of another."""
        stamp = _moment(named).strftime("%Y%m%d-%H%M%S%f")[:-3]
        date = self._delimiter.join(_moment(dated).strftime(part) for part in self._parts)
        return f"{self._root}{folder}/{date + '/' if date else ''}{stamp}.{self._suffix}"


def _moment(microseconds: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=microseconds)
