"""Every error Catchment raises, in one tree.

CatchmentError
├── Terminal            trying again cannot help: somebody has to change something
│   ├── SettingsError       a settings or tables file says something it may not
│   │   └── SettingsErrors      several of them
│   ├── TypeRefused         a source type that cannot be carried to the lake
│   ├── SourceUnreadable    a source's rows cannot be read for a comparison
│   ├── SchemaConflict      a file's column cannot become the table's type
│   ├── ForeignWriter       somebody else wrote to a table that has one writer
│   ├── LedgerLost          the table's log no longer says which files it contains
│   ├── LogBroken           a file of the table's log is not what the Delta protocol says
│   ├── ReplicaRefused      the database of a replica will not have a table, or what a commit writes
│   ├── SampleRefused       a database holds something in the place of a sample system
│   ├── ReloadSeen          a load file was written again, and nobody asked for a reload
│   ├── ReloadFailed        a table could not be loaded again
│   ├── SourceNotReady      something in a source keeps its task from starting
│   ├── SourceRefused       a source database did not take a statement
│   ├── SourceAgentFailed   the function beside the databases reached a source, and failed there
│   ├── TeardownFailed      a step of taking an environment down did not work
│   ├── DamagedVector       a deletion vector of the table cannot be read
│   └── UnreadableFile      a landing file cannot be read at all: it is quarantined whole
└── Transient           the same call may succeed later
    ├── LeaseTaken          another applier holds the table
    ├── ReloadPending       a reload takes longer than it was waited for
    ├── LoadIncomplete      a full load's files have other rows than whoever loaded says
    ├── SourceUnreachable   a source database could not be connected to
    └── StorageUnavailable  object storage, or a replica, did not answer, or answered that it is busy

Each error's ``args`` are its constructor's arguments, so that it survives pickling.
"""

from __future__ import annotations


class CatchmentError(Exception):
    """Base of all errors raised by Catchment itself."""


class Terminal(CatchmentError):
    """Trying again cannot help."""


class Transient(CatchmentError):
    """The same call may succeed later."""


class SettingsError(Terminal):
    """A settings or tables file says something it may not.

    ``field`` is the dotted path to the value, ``allowed`` says what may stand there.
    """

    def __init__(self, file: str, field: str, value: object, allowed: str) -> None:
        super().__init__(file, field, value, allowed)
        self.file, self.field, self.value, self.allowed = file, field, value, allowed

    def __str__(self) -> str:
        found = "missing" if self.value is None else f"{self.value!r} is not allowed"
        return f"{self.file}: {self.field}: {found}; {self.allowed}"


class SettingsErrors(SettingsError):
    """Several things a settings or tables file may not say; ``errors`` has each, the attributes are the first's."""

    def __init__(self, errors: tuple[SettingsError, ...]) -> None:
        first = errors[0]
        super().__init__(first.file, first.field, first.value, first.allowed)
        self.args = (errors,)
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


class TypeRefused(Terminal):
    """A source type that DMS does not carry, or that it carries in a way nobody has written down."""

    def __init__(self, engine: str, declared: str, why: str) -> None:
        super().__init__(engine, declared, why)
        self.engine, self.declared, self.why = engine, declared, why

    def __str__(self) -> str:
        return f"{self.engine}: type {self.declared}: {self.why}"


class SchemaConflict(Terminal):
    """A file's column cannot become the table's type."""

    def __init__(self, table: str, column: str, found: str, allowed: str) -> None:
        super().__init__(table, column, found, allowed)
        self.table, self.column, self.found, self.allowed = table, column, found, allowed

    def __str__(self) -> str:
        return f"{self.table}: column {self.column!r} is {self.found}; {self.allowed}"


class ForeignWriter(Terminal):
    """Somebody else wrote to a table that Catchment alone may write."""

    def __init__(self, table: str, version: int, what: str) -> None:
        super().__init__(table, version, what)
        self.table, self.version, self.what = table, version, what

    def __str__(self) -> str:
        return f"{self.table}: version {self.version} was not written by Catchment: {self.what}"


class LedgerLost(Terminal):
    """The table's log no longer says which landing files the table contains."""

    def __init__(self, table: str, version: int) -> None:
        super().__init__(table, version)
        self.table, self.version = table, version

    def __str__(self) -> str:
        return (
            f"{self.table}: the log up to version {self.version} has been cleaned up before its list of "
            "landing files was saved; rebuild the table from the landing zone"
        )


class LogBroken(Terminal):
    """A file of a Delta table's log is not what the protocol says, or is missing between others."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(file, why)
        self.file, self.why = file, why

    def __str__(self) -> str:
        return f"{self.file}: {self.why}; the table is left as it is until its log is repaired"


class ReplicaRefused(Terminal):
    """The database of a replica will not have a table, or what a commit writes."""

    def __init__(self, table: str, why: str) -> None:
        super().__init__(table, why)
        self.table, self.why = table, why

    def __str__(self) -> str:
        return f"{self.table}: the replica refuses it: {self.why}"


class SampleRefused(Terminal):
    """A database holds something in the place of a sample system: nothing is written."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(where, why)
        self.where, self.why = where, why

    def __str__(self) -> str:
        return f"{self.where}: {self.why}; sample rows go into an empty schema, or on where they left off"


class ReloadSeen(Terminal):
    """A load file was written again with other content, and nobody asked for a reload: from when on is not known."""

    def __init__(self, table: str, file: str) -> None:
        super().__init__(table, file)
        self.table, self.file = table, file

    def __str__(self) -> str:
        return (
            f"{self.table}: {self.file} was written again (a reload); the table is held as it is. "
            "`catchment reload` with --since, the moment that load began, swaps it in"
        )


class TeardownFailed(Terminal):
    """A step of taking an environment down did not work; the others wait for it."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what, self.why = what, why

    def __str__(self) -> str:
        return f"{self.what}: {self.why}; repeat the command when that is mended"


class DamagedVector(Terminal):
    """A deletion vector of a Delta table cannot be read: which of its rows count is unknown."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(where, why)
        self.where, self.why = where, why

    def __str__(self) -> str:
        return f"deletion vector {self.where}: {self.why}"


class ReloadFailed(Terminal):
    """A table could not be loaded again; the lake's table stays as it is."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what, self.why = what, why

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


class UnreadableFile(Terminal):
    """A landing file cannot be read at all; the applier quarantines it whole, as one record."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(file, why)
        self.file, self.why = file, why

    def __str__(self) -> str:
        return f"{self.file}: {self.why}"


class LeaseTaken(Transient):
    """Another applier holds the table's lease."""

    def __init__(self, table: str, holder: str) -> None:
        super().__init__(table, holder)
        self.table, self.holder = table, holder

    def __str__(self) -> str:
        return f"{self.table}: the lease is held by {self.holder}"


class ReloadPending(Transient):
    """A reload takes longer than it was waited for; it goes on, and is swapped in when it is complete."""

    def __init__(self, tables: str, seconds: float) -> None:
        super().__init__(tables, seconds)
        self.tables, self.seconds = tables, seconds

    def __str__(self) -> str:
        return (
            f"{self.tables}: not swapped in after {self.seconds:.0f} s; the reload goes on. `catchment history` shows "
            "when it is in, the task's table statistics how far it is"
        )


class LoadIncomplete(Transient):
    """The files of a full load do not hold the rows that whoever loaded says it wrote; the table stays as it is."""

    def __init__(self, table: str, found: int, expected: int) -> None:
        super().__init__(table, found, expected)
        self.table, self.found, self.expected = table, found, expected

    def __str__(self) -> str:
        return f"{self.table}: the load wrote {self.expected:,} rows, its files have {self.found:,}"


class SourceUnreadable(Terminal):
    """A source's rows cannot be read for a comparison."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what, self.why = what, why

    def __str__(self) -> str:
        return f"{self.what} cannot be read: {self.why}"


class SourceNotReady(Terminal):
    """Something in a source keeps its task from starting; ``findings`` says what, each in a line."""

    def __init__(self, source: str, findings: tuple[str, ...]) -> None:
        super().__init__(source, findings)
        self.source, self.findings = source, findings

    def __str__(self) -> str:
        listed = "; ".join(self.findings)
        return f"{self.source} is not ready (catchment preflight {self.source} says what mends it): {listed}"


class SourceRefused(Terminal):
    """A source database did not take a statement: a right is missing, or something is not there."""

    def __init__(self, statement: str, why: str) -> None:
        super().__init__(statement, why)
        self.statement, self.why = statement, why

    def __str__(self) -> str:
        return f"the database does not take {self.statement}: {self.why}"


class SourceAgentFailed(Terminal):
    """The function beside the databases reached a source, and failed there."""

    def __init__(self, source: str, action: str, why: str) -> None:
        super().__init__(source, action, why)
        self.source, self.action, self.why = source, action, why

    def __str__(self) -> str:
        return f"{self.source}: {self.action}: {self.why}"


class SourceUnreachable(Transient):
    """A source database could not be connected to: the network, TLS, or the login."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(address, why)
        self.address, self.why = address, why

    def __str__(self) -> str:
        return f"{self.address} cannot be reached: {self.why}"


class StorageUnavailable(Transient):
    """Object storage did not answer, or answered that it is busy."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(where, why)
        self.where, self.why = where, why

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"
