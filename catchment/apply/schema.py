"""Which columns the table is to have, from what it has, what is declared and what its files bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from catchment.errors import SchemaConflict
from catchment.landing.contract import TableContract
from catchment.landing.shape import FileShape
from catchment.landing.types import PARTITIONING, DeltaType, widen


def evolve(
    table: Mapping[str, DeltaType], contract: TableContract, shapes: Sequence[FileShape]
) -> dict[str, DeltaType]:
    """The table's columns after files of these shapes: new ones at the end, types widened, none dropped.

    A declared type is the contract's to widen, not a file's. A file whose type does not fit changes nothing: its
    values are cast one by one, and those that do not fit are quarantined. Raises SchemaConflict where the contract
    declares a type the table's values cannot become, and for a column that a table cannot be partitioned by.
    """
    declared = contract.columns or {}
    target = dict(table)
    for name, kind in declared.items():
        known = target.get(name, kind)
        wider = widen(known, kind)
        if wider not in (known, kind):
            raise SchemaConflict(str(contract.name), name, str(known), f"it cannot become {kind} as declared")
        target[name] = wider or kind
    for shape in shapes:
        for name, kind in shape.columns.items():
            if name not in target:
                target[name] = kind
            elif name not in declared:
                target[name] = _wider(target[name], kind, partitioning=name in contract.partition_by)
    _check_partitions(contract, target)
    return target


def _wider(known: DeltaType, kind: DeltaType, *, partitioning: bool) -> DeltaType:
    wider = widen(known, kind) or known
    return known if partitioning and wider.name not in PARTITIONING else wider


def _check_partitions(contract: TableContract, target: Mapping[str, DeltaType]) -> None:
    """Raise SchemaConflict where a column to partition by is missing or of a type whose values cannot name one."""
    for name in contract.partition_by if target else ():
        if name not in target:
            raise SchemaConflict(
                str(contract.name), name, "no column of the table", "but it is to be partitioned by it"
            )
        if target[name].name not in PARTITIONING:
            allowed = f"a table is partitioned by columns of the types {', '.join(PARTITIONING)}"
            raise SchemaConflict(str(contract.name), name, str(target[name]), allowed)


def perhaps_renamed(
    table: Mapping[str, DeltaType], target: Mapping[str, DeltaType], shapes: Sequence[FileShape]
) -> list[tuple[str, str]]:
    """Pairs (column that no longer comes, new column of its type): renamed, or dropped and added; files do not say."""
    new = [name for name in target if name not in table]
    speaking = [shape for shape in shapes if set(new) & set(shape.columns)]
    gone = [name for name in table if all(name not in shape.columns for shape in speaking)]
    return [(old, name) for old in gone for name in new if table[old] == target[name]]


def renamings(table: Mapping[str, DeltaType], contract: TableContract) -> dict[str, str]:
    """The table's columns that have to take another name. Raises SchemaConflict where it has both names already."""
    found = {former: name for former, name in contract.renamed.items() if former in table}
    for former, name in found.items():
        if name in table:
            both = f"and was renamed to {name!r}, which is a column of the table as well"
            raise SchemaConflict(str(contract.name), former, "a column of the table", f"{both}: reload the table")
    return found


def spelt_alike(shape: FileShape, table: Mapping[str, DeltaType]) -> FileShape:
    """The shape with the table's spelling where names differ in case only (Delta does not tell them apart)."""
    spelling = {name.casefold(): name for name in table}

    def known(name: str) -> str:
        return spelling.get(name.casefold(), name)

    if all(known(name) == name for name in shape.columns):
        return shape
    columns = {known(name): kind for name, kind in shape.columns.items()}
    fields = {known(name): found for name, found in shape.roles.columns.items()}
    return replace(shape, columns=columns, roles=replace(shape.roles, columns=fields))
