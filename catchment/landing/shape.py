"""What each field of one file is: the operation, the order, a column of the source or a before-image of the key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catchment.errors import UnreadableFile
from catchment.landing.contract import RESERVED, TableContract
from catchment.landing.names import Kind, LandingFile
from catchment.landing.types import DeltaType, from_duckdb

OPERATION = "Op"


@dataclass(frozen=True)
class Field:
    """One field of a file: its name there, what DuckDB calls it, and its DuckDB type (or ``casts.TIME_MS``)."""

    name: str
    physical: str
    type: str


@dataclass(frozen=True)
class Roles:
    """Which field plays which part. ``before`` is in key order and empty where the file has no before-images."""

    operation: Field | None
    commit: Field | None
    sequence: Field | None
    columns: dict[str, Field]
    before: tuple[Field, ...] = ()


@dataclass(frozen=True)
class FileShape:
    """What one file speaks of: its source columns in file order with the type each of them has or was declared to have.

    ``roles``, ``fields`` (all of them, in file order) and ``header`` (CSV: the first record) are the reader's own.
    """

    columns: dict[str, DeltaType]
    roles: Roles
    fields: tuple[Field, ...]
    header: bool = False


def by_name(file: LandingFile, contract: TableContract, fields: Sequence[Field]) -> FileShape:
    """Give every field its role by its name; names differing from the contract's in case only are the contract's.

    Raises UnreadableFile where two columns cannot be told apart, a key column or, in a change file, ``Op`` is missing.
    """
    landing, left = contract.landing, list(fields)
    operation = _take_operation(contract, left)
    commit = _take(left, landing.timestamp_column)
    sequence = _take(left, landing.sequence_column)
    before = _take_before_images(contract, left)
    columns = _columns(file, contract, left)
    _check(file, contract, operation, columns)
    shown = {name: _type(contract, name, found) for name, found in columns.items()}
    images = _of_key(file, contract, before)
    return FileShape(shown, Roles(operation, commit, sequence, columns, images), tuple(fields))


def _take_operation(contract: TableContract, left: list[Field]) -> Field | None:
    found = [f for f in left if f.name == OPERATION]
    declared = OPERATION in (contract.columns or ())
    if not found or (declared and len(found) == 1 and found[0] is not left[0]):
        return None
    left.remove(found[0])
    return found[0]


def _take(left: list[Field], name: str | None) -> Field | None:
    """DMS spells what it adds as it was told to; a rule that lowers names lowers these too."""
    exact = [f for f in left if f.name == name]
    alike = [f for f in left if name is not None and f.name.casefold() == name.casefold()]
    for found in exact or alike:
        left.remove(found)
        return found
    return None


def _take_before_images(contract: TableContract, left: list[Field]) -> dict[str, Field]:
    """Before-images by the folded name of their column; all of them leave the list.

    A declared column, or one without a column to be the image of, is a column of the source whatever its name.
    """
    prefix = contract.landing.before_image_prefix
    if prefix is None:
        return {}
    declared = {name.casefold() for name in contract.columns or ()}
    names = {f.name.casefold() for f in left} | {part.casefold() for part in contract.key}
    present = {former.casefold(): name.casefold() for former, name in contract.renamed.items()}
    images: dict[str, Field] = {}
    # As spelt first: beside BI_id, a column bi_id is the source's.
    for found in sorted(left, key=lambda f: not f.name.startswith(prefix)):
        folded = found.name.casefold()
        of = folded.removeprefix(prefix.casefold())
        named = present.get(of, of)
        if of != folded and folded not in declared and of in names and named not in images:
            images[named] = found
            left.remove(found)
    return images


def _of_key(file: LandingFile, contract: TableContract, images: dict[str, Field]) -> tuple[Field, ...]:
    """The key's before-images. A part of them would hide a key change: DMS gives all of them or none."""
    found = [images[part.casefold()] for part in contract.key if part.casefold() in images]
    if found and len(found) < len(contract.key) and file.kind is Kind.CHANGES:
        raise UnreadableFile(file.path, f"before-images of a part of the key only: {', '.join(f.name for f in found)}")
    return tuple(found) if len(found) == len(contract.key) else ()


def _columns(file: LandingFile, contract: TableContract, left: Sequence[Field]) -> dict[str, Field]:
    spelt = {name.casefold(): name for name in (*(contract.columns or ()), *contract.key)}
    spelt |= {former.casefold(): name for former, name in contract.renamed.items()}
    columns: dict[str, Field] = {}
    folded: dict[str, str] = {}
    for found in left:
        name = spelt.get(found.name.casefold(), found.name)
        if (twin := folded.setdefault(name.casefold(), found.name)) is not found.name or name in columns:
            alike = twin.casefold() == found.name.casefold()
            why = "differ in case only" if alike else "are one, which was renamed"
            raise UnreadableFile(file.path, f"columns {twin!r} and {found.name!r} {why}")
        columns[name] = found
    return columns


def _check(file: LandingFile, contract: TableContract, operation: Field | None, columns: dict[str, Field]) -> None:
    if operation is None and file.kind is Kind.CHANGES:
        raise UnreadableFile(file.path, f"a change file without the column {OPERATION!r}")
    for part in contract.key:
        if part not in columns:
            raise UnreadableFile(file.path, f"the key column {part!r} is missing")
    for name in columns:
        if name.startswith("~") or not name or name.casefold() == RESERVED:
            raise UnreadableFile(file.path, f"a column is called {name!r}")


def _type(contract: TableContract, name: str, found: Field) -> DeltaType:
    declared = (contract.columns or {}).get(name)
    return declared if declared is not None else from_duckdb(found.type)
