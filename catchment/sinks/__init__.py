"""Where net changes go: a sink applies them and advances its watermark in one atomic step."""

from catchment.sinks.base import Batch, Committed, Sink, TableState
from catchment.sinks.ledger import AppliedFile, Ledger

__all__ = ["AppliedFile", "Batch", "Committed", "Ledger", "Sink", "TableState"]
