"""Keeping tables cheap to read: compaction, purge of deletion vectors, checkpoints, clean-up behind a safe horizon."""

from catchment.maintenance.maintain import maintain_table
from catchment.maintenance.policy import Horizons, Policy
from catchment.maintenance.report import Report, Step

__all__ = ["Horizons", "Policy", "Report", "Step", "maintain_table"]
