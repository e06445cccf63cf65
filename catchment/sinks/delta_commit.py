"""The commits themselves: each on top of the version that was read, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake._internal import RemoveAction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, create_table_with_add_actions

from catchment.landing.types import DeltaType
from catchment.sinks.base import Batch, LostRace
from catchment.sinks.delta_log import APP_ID, METADATA_KEY
from catchment.sinks.ledger import FORMAT


def create(
    url: str, options: Mapping[str, str], columns: Mapping[str, DeltaType], adds: Sequence[AddAction], batch: Batch
) -> None:
    """Make the table with its first rows. Raises LostRace where somebody else just made it."""
    try:
        create_table_with_add_actions(
            url,
            _schema(columns),
            list(adds),
            mode="error",
            storage_options=dict(options),
            commit_properties=_properties(batch),
        )
    except CommitFailedError as error:
        raise LostRace(str(error)) from error
    except DeltaError as error:
        if "already exists" in str(error):
            raise LostRace(str(error)) from error
        raise


def append(
    table: DeltaTable,
    columns: Mapping[str, DeltaType],
    new: Mapping[str, DeltaType],
    actions: Sequence[AddAction | RemoveAction],
    batch: Batch,
    *,
    overwrite: bool,
) -> None:
    """Commit on top of ``table``'s version. Raises LostRace.

    ``overwrite`` replaces all files, and with them the types of the columns. ``new`` columns are a metadata commit of
    their own right before: nullable and empty, they change no row, and a writer killed in between leaves a table that
    is exact.
    """
    try:
        if new:
            fields = [Field(name, PrimitiveType(str(kind))) for name, kind in new.items()]
            table.alter.add_columns(fields, commit_properties=CommitProperties(max_commit_retries=0))
        mode = "overwrite" if overwrite else "append"
        table.create_write_transaction(list(actions), mode, _schema(columns), commit_properties=_properties(batch))
    except CommitFailedError as error:
        raise LostRace(str(error)) from error


def delta_type(field: Field) -> DeltaType:
    """The type of a table's column. Raises ValueError for a nested one, which no source type becomes."""
    if not isinstance(field.type, PrimitiveType):
        raise ValueError(f"column {field.name} is {field.type}, which no source type becomes")
    return DeltaType.parse(field.type.type)


def _properties(batch: Batch) -> CommitProperties:
    """The watermark as a Delta transaction, and the record that the ledger is made of.

    Retries are off: delta-rs would put the same actions on top of a commit this one has not seen.
    """
    record = {
        "format": FORMAT,
        "watermark": batch.watermark,
        "account": dict(batch.account),
        "files": [vars(file) for file in batch.files],
    }
    return CommitProperties(
        custom_metadata={METADATA_KEY: json.dumps(record, separators=(",", ":"))},
        max_commit_retries=0,
        app_transactions=[Transaction(APP_ID, batch.watermark)],
    )


def _schema(columns: Mapping[str, DeltaType]) -> Schema:
    return Schema([Field(name, PrimitiveType(str(kind))) for name, kind in columns.items()])
