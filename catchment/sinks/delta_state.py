"""What the applier is told of a Delta table, whatever engine works on it."""

from __future__ import annotations

from catchment.changes.relations import SEQUENCE
from catchment.errors import ForeignWriter
from catchment.sinks.base import TableState
from catchment.sinks.delta_protocol import refusal
from catchment.sinks.delta_table import DeltaLog
from catchment.sinks.ledger import Ledger


def open_state(log: DeltaLog, table: str) -> TableState:
    """Look at the log's end. Raises LogBroken, LedgerLost, ForeignWriter (also for a feature nobody here knows)."""
    found = log.refresh()
    if found is None:
        return TableState(None, {}, Ledger(), 0)
    if (why := refusal(found.protocol, found.metadata)) is not None:
        raise ForeignWriter(table, found.version, why)
    try:
        columns = dict(found.columns)
    except ValueError as error:
        raise ForeignWriter(table, found.version, str(error)) from error
    columns.pop(SEQUENCE, None)
    adds = found.adds.values()
    rows, size = sum(add.rows or 0 for add in adds), sum(add.size for add in adds)
    partition_by = found.metadata.partition_columns
    return TableState(found.version, columns, log.ledger, rows, size, len(adds), partition_by)
