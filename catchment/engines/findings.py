"""Findings that are alike for every engine: of names, keys, types, large values and storage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from catchment.engines.base import LogUse
from catchment.engines.dms_types import DmsType
from catchment.engines.readiness import Finding, Level, Wanted, WantedTable
from catchment.errors import SourceUnreachable, TypeRefused

Column = tuple[str, str, tuple[str, ...]]
"""Table as ``<schema>.<table>``, name, and what ``dms_type`` takes: first the type as it was declared."""


def collisions(tables: Sequence[WantedTable], columns: Mapping[str, Iterable[str]]) -> list[Finding]:
    """Names that are one name once they are written small, as the lake's catalog does; ``columns`` by table."""
    found = [("tables", same) for same in _same_in_small(map(str, tables))]
    found += [(f"columns of {table}", same) for table, names in columns.items() for same in _same_in_small(names)]
    return [
        Finding(
            check="names",
            level=Level.BLOCKS,
            what=f"{what}: {' and '.join(same)} differ in capitals only",
            why="The lake's catalog writes names small: the two would be one.",
            setting="Rename one of them at the source, or leave one out.",
        )
        for what, same in found
    ]


def _same_in_small(names: Iterable[str]) -> list[list[str]]:
    spelt: dict[str, list[str]] = defaultdict(list)
    for name in names:
        spelt[name.lower()].append(name)
    return [same for same in spelt.values() if len(same) > 1]


def keys(wanted: Wanted, found: Mapping[str, Sequence[str]], *, replicated_without: bool) -> list[Finding]:
    """Where a table's primary key is another one than the settings say, or is missing; ``found`` by table."""
    findings = []
    for table in wanted.tables:
        key = found.get(str(table))
        if key is None:
            continue
        if key and tuple(key) != tuple(table.key):
            findings.append(_other_key(table, key))
        elif not key and wanted.follows:
            findings.append(_no_key(table, replicated_without))
    return findings


def _other_key(table: WantedTable, key: Sequence[str]) -> Finding:
    said = f"({', '.join(table.key)})" if table.key else "none"
    return Finding(
        check="key",
        level=Level.BLOCKS,
        what=f"{table} has the primary key ({', '.join(key)}), the settings say {said}",
        why="Changes find their row by the key: with another one they would make ghosts, or meet the wrong row.",
        setting=f'In the settings, tables."{table}".key: {list(key)!r}'.replace("'", '"'),
    )


def _no_key(table: WantedTable, replicated_without: bool) -> Finding:
    why = (
        "Updates and deletes arrive with all columns and no key: rows that are alike cannot be told apart."
        if replicated_without
        else "DMS replicates neither updates nor deletes of it."
    )
    return Finding(
        check="key",
        level=Level.WARNS,
        what=f"{table} has no primary key" + (f"; the settings name ({', '.join(table.key)})" if table.key else ""),
        why=why,
        setting="Give it a primary key at the source, or let it receive inserts only.",
    )


def unreachable(error: SourceUnreachable) -> Finding:
    """A database that cannot be connected to."""
    return Finding(
        check="connection",
        level=Level.BLOCKS,
        what=str(error),
        why="DMS connects with the same host, port, user, password and certificates.",
        setting="Look at the secret, the security groups and routes, the certificate and whether the database runs.",
    )


def no_user(name: str) -> Finding:
    """DMS's user is not there yet."""
    return Finding(
        check="user",
        level=Level.BLOCKS,
        what=f"there is no user {name}",
        why="DMS logs in as this user.",
        setting="catchment prepare makes it.",
    )


def missing(table: WantedTable) -> Finding:
    """A table that is not there, or not to be seen by who asks."""
    return Finding(
        check="table",
        level=Level.BLOCKS,
        what=f"{table} is not there, or the user may not see it",
        why="DMS fails a task, or leaves the table out, where a table of its mappings is missing.",
        setting="Correct its spelling in the settings, make it at the source, or grant SELECT on it.",
    )


def refused_type(table: WantedTable, column: str, declared: str, reason: str) -> Finding:
    """A column that DMS does not carry."""
    return Finding(
        check="type",
        level=Level.BLOCKS,
        what=f"{table}.{column} is {declared}, which is not carried: {reason}",
        why="The column would be missing in the lake, or hold what nobody has documented.",
        setting="Change its type at the source, or leave the table out.",
    )


def narrowed_type(table: WantedTable, columns: Mapping[str, str]) -> Finding:
    """Columns of which DMS loses something; ``columns`` says what, by name."""
    said = "; ".join(f"{column}: {loss}" for column, loss in columns.items())
    return Finding(
        check="type",
        level=Level.WARNS,
        what=f"{table} does not arrive whole: {said}",
        why="DMS has no type that holds every value of these columns.",
        setting="Nothing, where no such value is there; else another type at the source.",
    )


def too_large(wanted: Wanted, table: WantedTable, column: str, found: int) -> Finding:
    """A large value that would be cut; ``found`` is its size in bytes."""
    kb = -(-found // 1024)
    return Finding(
        check="lob",
        level=Level.BLOCKS,
        what=f"{table}.{column} holds a value of {kb:,} KB, the limit is {wanted.lob_bytes(table) // 1024:,} KB",
        why="DMS cuts a value that is longer than the limit, or fails.",
        setting=f'In the settings, tables."{table}".lob_max_kb: {kb} or more.',
    )


def storage(use: LogUse, least_percent: float = 25) -> list[Finding]:
    """Where what may be kept of the log is used up already."""
    if use.headroom_percent is None or use.headroom_percent >= least_percent:
        return []
    return [
        Finding(
            check="storage",
            level=Level.BLOCKS if use.headroom_percent <= 0 else Level.WARNS,
            what=f"{use.headroom_percent:.0f} % is left of what the log may grow to",
            why="A log that nobody reads fills the disk, or is removed unread; then everything is loaded again.",
            setting="Enlarge the storage, or take away what keeps the log.",
        )
    ]


def types(wanted: Wanted, columns: Sequence[Column], dms_type: Callable[..., DmsType]) -> list[Finding]:
    """Columns that are not carried, or not whole."""
    tables = {str(table): table for table in wanted.tables}
    findings, cut = [], defaultdict[str, dict[str, str]](dict)
    for table, column, declared in columns:
        try:
            narrows = dms_type(*declared).narrows or ""
        except TypeRefused as error:
            findings.append(refused_type(tables[table], column, declared[0], error.why))
            continue
        if narrows.startswith("cut"):
            cut[table][column] = narrows
    return [*findings, *(narrowed_type(tables[table], losses) for table, losses in cut.items())]


def lobs(columns: Sequence[Column], dms_type: Callable[..., DmsType]) -> list[Column]:
    """The columns that are large objects to DMS."""
    found = []
    for table, column, declared in columns:
        with suppress(TypeRefused):  # it is a finding of its own
            if dms_type(*declared).is_lob:
                found.append((table, column, declared))
    return found


def least_dms(wanted: Wanted, version: str, least: str) -> list[Finding]:
    """Where DMS is too old for the source's ``version``; ``least`` is the first version of DMS that reads it."""
    if wanted.dms_version is None or _parts(wanted.dms_version) >= _parts(least):
        return []
    return [
        Finding(
            check="version",
            level=Level.BLOCKS,
            what=f"the server is {version}, the replication instance DMS {wanted.dms_version}",
            why=f"{version} is read by DMS {least} and later.",
            setting=f"In the settings, replication.engine_version: {least} or later.",
        )
    ]


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
