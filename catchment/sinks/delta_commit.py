"""What a batch's commit says besides its files and its record: the watermark, and new or wider columns.

All of it is one commit: a reader sees a new column together with the rows that fill it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace

from catchment.landing.types import DeltaType
from catchment.sinks.delta_actions import Metadata, Protocol, Txn
from catchment.sinks.delta_log import APP_ID
from catchment.sinks.delta_protocol import DELETION_VECTORS, needing, protocol_for, with_features
from catchment.sinks.delta_schema import schema_of
from catchment.sinks.delta_snapshot import Snapshot

PROPERTIES = {"delta.enableExpiredLogCleanup": "false"}
"""Other writers clean the log up by age alone; it may go only as far as the ledger's digest reaches."""

VECTORS_ON = {"delta.enableDeletionVectors": "true"}


def table_actions(
    before: Snapshot | None, columns: Mapping[str, DeltaType], partition_by: Sequence[str], *, vectors: bool = False
) -> list[Protocol | Metadata]:
    """The protocol and metadata that a table with ``columns`` needs and ``before`` does not have yet.

    ``partition_by`` may be another than before where all files are replaced. ``vectors``: the commit brings deletion
    vectors.
    """
    if before is None:
        schema = schema_of(columns)
        moment = int(time.time() * 1000)
        made = Metadata(str(uuid.uuid4()), schema, tuple(partition_by), PROPERTIES, moment)
        return [protocol_for(columns), made]
    protocol = needing(before.protocol, columns)
    known = before.columns
    ordered = {name: columns.get(name, kind) for name, kind in known.items()}
    ordered |= {name: kind for name, kind in columns.items() if name not in known}
    metadata = replace(before.metadata, partition_columns=tuple(partition_by))
    if ordered != known:
        metadata = replace(metadata, schema=schema_of(ordered, metadata.schema))
    if missing := {name: value for name, value in PROPERTIES.items() if name not in metadata.configuration}:
        metadata = metadata.configured(missing)
    if vectors:
        protocol = with_features(protocol, {DELETION_VECTORS})
        metadata = metadata.configured(VECTORS_ON)
    return [now for now, then in ((protocol, before.protocol), (metadata, before.metadata)) if now != then]


def applied(watermark: int) -> Txn:
    """The watermark as a Delta transaction."""
    return Txn(APP_ID, watermark, int(time.time() * 1000))
