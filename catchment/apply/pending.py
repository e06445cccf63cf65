"""Which landing files the table does not contain yet.

A file is its path and its content: a touched or copied folder is not new, a file written again is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catchment.apply.budget import Budget
from catchment.errors import ReloadSeen
from catchment.landing.names import Kind, LandingFile, TableName, parse
from catchment.sinks.ledger import AppliedFile, Ledger
from catchment.storage import ObjectStore, StoredObject

_STAMP_DIGITS = 17


@dataclass(frozen=True)
class Listing:
    """The landing folder of a table: ``new`` files in order, all recognised ones by path, and what else lies there."""

    new: Sequence[LandingFile]
    present: dict[str, LandingFile]
    unrecognised: Sequence[str]


def list_landing(landing: ObjectStore, table: TableName, ledger: Ledger) -> Listing:
    """Look at the table's folder. Raises ReloadSeen where a load file that was applied has other content now."""
    new, present, unrecognised = [], {}, []
    for found in landing.list(f"{table.schema}/{table.table}"):
        file = parse(found)
        if file is None or file.table != table:
            unrecognised.append(found.path)
            continue
        present[found.path] = file
        known = ledger.files.get(found.path)
        if known is not None and _same(landing, found, known):
            continue
        if known is not None and file.kind is Kind.LOAD and not known.unreadable:
            raise ReloadSeen(str(table), found.path)
        new.append(file)
    new.sort(key=lambda file: file.position)
    return Listing(new, present, unrecognised)


def take(files: Sequence[LandingFile], budget: Budget) -> list[LandingFile]:
    """The first files that fit into one commit, at least one."""
    taken: list[LandingFile] = []
    size = 0
    for file in files[: budget.commit_files]:
        size += file.object.size
        if taken and size > budget.commit_bytes:
            break
        taken.append(file)
    return taken


def watermark(files: Sequence[LandingFile]) -> int:
    """The newest change file's stamp as a number of 17 digits (``20240809192717787``), 0 where there is none."""
    stamps = [int(file.stamp[:_STAMP_DIGITS]) for file in files if file.kind is Kind.CHANGES]
    return max(stamps, default=0)


def _same(landing: ObjectStore, found: StoredObject, known: AppliedFile) -> bool:
    if found.size != known.size:
        return False
    if found.etag is None and found.modified_ns == known.modified_ns:
        return True  # a local file nobody has touched: its content need not be read again
    return landing.etag(found) == known.etag
