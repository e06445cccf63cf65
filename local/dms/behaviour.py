"""Switches for what nobody documents about DMS, or for what it may do and rarely does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal


@dataclass(frozen=True)
class Behaviour:
    """How the emulator decides where DMS's own behaviour is uncertain.

    ``toast``: an unchanged large value of an update is ``carry`` (taken from the old row where REPLICA IDENTITY FULL
    and test-decoding log it, else NULL), ``null`` always, or ``lookup`` (read from the source by key when missing).
    ``keyless_lob``: large objects in changes of a table without a key are ``null`` (documented) or ``value``.
    ``redelivered_sequence``: a change sent again after a crash has the ``same`` sequence or a ``new`` one.
    ``sequence``: the time in a change sequence is ``rising`` (never less than that of the change before, as AWS calls
    the sequence "incrementing"), or always that of the row's ``commit``, which a source may log out of order.
    ``load_snapshot``: full load reads all tables as of the ``slot``, or each ``table`` at its own moment, so that
    rows come both in LOAD files and as changes.
    ``folder_date``: date folders follow the first change's ``commit`` or the file's ``name``.
    ``load_file_rows``: rows after which a Parquet load begins another LOAD file.
    """

    toast: Literal["carry", "null", "lookup"] = "carry"
    keyless_lob: Literal["null", "value"] = "null"
    redelivered_sequence: Literal["same", "new"] = "same"
    sequence: Literal["rising", "commit"] = "rising"
    load_snapshot: Literal["slot", "table"] = "slot"
    folder_date: Literal["commit", "name"] = "commit"
    load_file_rows: int = 100_000

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Behaviour:
        """From plain data. Raises ValueError naming a switch that does not exist."""
        unknown = set(said) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"no such switch: {', '.join(sorted(unknown))}")
        return cls(**said)
