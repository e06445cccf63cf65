"""Preparing a source so that it can be taken back whatever happens on the way."""

from __future__ import annotations

from catchment.engines.readiness import Undone, Wanted, undo_of
from catchment.prepare.record import Record
from catchment.prepare.sides import Side


def prepare(side: Side, record: Record, wanted: Wanted) -> list[str]:
    """Do what is still to be done; what was done, in words.

    What takes it back is kept before anything is done: a statement too many is harmless then, one too few is not.
    """
    steps = side.plan(wanted)
    if not steps:
        return []
    record.write(undo_of(steps, record.read()))
    return side.take(wanted)


def unprepare(side: Side, record: Record) -> Undone:
    """Put the source back as it was before it was first prepared. What it does not take stays in the record."""
    undone = side.undo(record.read())
    record.write(list(undone.failed))
    return undone
