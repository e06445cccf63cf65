"""How a source's tables are loaded, and from where its changes are followed."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from catchment.engines import engine
from catchment.settings.values import ColumnName, Part, no_column_twice, not_allowed

Migration = Literal["full-load-and-cdc", "full-load", "cdc"]

MOST_COLUMNS = 10
"""AWS DMS User Guide, "Table and collection settings rules"."""

_EVERYWHERE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|checkpoint:V\d+#\S+"


class ParallelLoad(Part):
    """The parts of a large table that are loaded at the same time: ranges of its key, or its partitions."""

    columns: Annotated[tuple[ColumnName, ...], AfterValidator(no_column_twice)] = ()
    """That begin the key: DMS leaves rows out that have NULL in one of the columns."""
    boundaries: tuple[tuple[str, ...], ...] = ()
    """A part ends below each of them, lowest first, and one more takes the rest; values are text."""
    partitions: tuple[str, ...] | None = None
    """The names of partitions; ``[]`` for every one."""

    @model_validator(mode="after")
    def _one_of_both(self) -> ParallelLoad:
        if (self.partitions is None) == (not self.columns):
            raise not_allowed("allowed: columns with boundaries, or partitions", field="columns")
        if bool(self.columns) != bool(self.boundaries):
            raise not_allowed("allowed: as soon as there are columns, and only then", field="boundaries")
        if any(len(boundary) != len(self.columns) for boundary in self.boundaries):
            raise not_allowed("allowed: as many values in each as there are columns", field="boundaries")
        return self

    def misfit(self, engine_name: str, key: tuple[str, ...]) -> str | None:
        """What is allowed for a table with this key of this engine, where this is not."""
        facts = engine(engine_name).infrastructure
        if self.partitions is not None and not facts.loads_by_partition:
            return f"allowed: columns with boundaries; DMS does not load partitions of {engine_name} by themselves"
        if self.columns != key[: len(self.columns)] or len(self.columns) > MOST_COLUMNS:
            what = f"columns that begin the table's key, at most {MOST_COLUMNS}"
            return f"allowed: {what}: rows with NULL in another are not loaded"
        return None


def position_misfit(engine_name: str, position: str, slot: str | None) -> str | None:
    """What is allowed as a position to follow an engine's changes from, where this is not."""
    facts = engine(engine_name).infrastructure
    if facts.names_slot and slot is None:
        return (
            f"allowed with slot_name only: {engine_name} keeps the log from a position for a slot that was there before"
        )
    allowed = rf"{facts.log_position}|checkpoint:V\d+#\S+" if slot else rf"{facts.log_position}|{_EVERYWHERE}"
    if not re.fullmatch(allowed, position):
        time = "" if slot else ", a time (2026-03-08T12:12:12, UTC)"
        return f"allowed: a place in the log ({facts.log_position_example}), a checkpoint (checkpoint:V1#…){time}"
    return None
