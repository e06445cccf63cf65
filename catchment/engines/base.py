"""What every database engine answers. The modules beside this one each satisfy ``Engine``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from catchment.engines.client_text import Target
from catchment.engines.dms_types import DmsType
from catchment.engines.reconciliation import Reconciliation
from catchment.engines.statements import Query as Query
from catchment.engines.trust import Login, Trust

if TYPE_CHECKING:
    from catchment.engines.readiness import Preflight, Preparation

Table = tuple[str, str]
"""Schema and name, as the source spells them."""


@dataclass(frozen=True)
class LogUse:
    """What a source keeps of its log for readers that are behind."""

    retained_bytes: int
    headroom_percent: float | None
    """How much of what it may keep is left, 0 to 100. None where nobody has said how much that is."""


def percent_left(used: float, limit: float) -> float:
    """100 where nothing is used, 0 where all of it is, or more."""
    return 0.0 if limit <= 0 else max(0.0, min(100.0, 100 * (1 - used / limit)))


@dataclass(frozen=True, kw_only=True)
class Rds:
    """What RDS has to be told about an engine."""

    engine: str
    """Engine of the RDS instance."""
    engine_version: str
    """The full version taken when the settings name none."""
    major_version: Callable[[str], str]
    """From a full engine version to the part that names its parameter group family."""
    least_dms_version: Callable[[str], str] = lambda _version: "0.0.0"
    """From a full engine version to the first version of DMS that reads its log."""
    parameters: Mapping[str, str]
    """Parameter group entries that change data capture needs, and encrypted connections."""
    log_exports: tuple[str, ...]
    """Log types that RDS hands to CloudWatch Logs."""
    license_model: str | None = None
    makes_database: bool = True
    """Whether RDS creates the database named in the settings. It refuses a name for SQL Server."""


@dataclass(frozen=True, kw_only=True)
class Infrastructure:
    """What DMS has to be told about an engine, and RDS."""

    dms_engine: str
    """EngineName of the DMS source endpoint."""
    port: int
    rds: Rds | None
    """None for an engine whose databases somebody else runs."""
    endpoint_names_database: bool = True
    """Whether the DMS endpoint takes a database name. MySQL's must not have one."""
    endpoint_settings: Mapping[str, Any]
    """The engine's part of the DMS source endpoint, in the spelling of the DMS API."""
    log_position: str
    """What a place in the source's log looks like to DMS (CdcStartPosition): a pattern."""
    log_position_example: str
    loads_by_partition: bool = True
    """Whether DMS loads a table's partitions at the same time."""
    log_readers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Ways to read the log, by name, with what each adds to the endpoint's settings. The first is the default."""
    ssl_modes: tuple[str, ...]
    """SslModes of a DMS endpoint that encrypt, each stricter than the one before. ``verify-…`` wants a certificate."""
    certificate_suffix: str = ".pem"
    """What kind of file a certificate is: PEM, or an Oracle wallet (``.sso``)."""
    names_slot: bool = False
    """Whether the endpoint can name a replication slot that was made beforehand; without one the log is not kept."""
    cleans_up: bool = False
    """Whether what a task leaves in the source, where it would fill the disk, goes with it if nobody says more."""
    replicates_without_key: bool = False
    """Whether DMS replicates updates and deletes of a table that has no key."""


@dataclass(frozen=True, kw_only=True)
class Capture:
    """What DMS's change files tell of a change (AWS DMS User Guide, each source's page and CHAP_Target.S3)."""

    whole_deletes: bool = True
    """Whether a delete carries the whole old row; if not, its key alone."""
    splits_key_updates: bool = False
    """Whether a statement that moves several keys arrives as deletes and inserts."""
    partial_before_images: bool = False
    """Whether of a key that changes only the changed columns have a before-image."""
    empty_text_is_null: bool = False


@dataclass(frozen=True, kw_only=True)
class Feeding:
    """What its databases want as replicas."""

    scheme: str
    """The beginning of a database's URL."""
    parameters: Mapping[str, str]
    """Parameter group entries: encrypted connections, and what rows are sent by."""
    one_schema: bool = False
    """Whether the tables of all schemas lie in the database together."""


class SourceTypes(Protocol):
    """An engine's types: a module with these names."""

    @property
    def DOCUMENTED(self) -> Sequence[str]:
        """Every type the DMS guide names, as a column may be declared."""
        ...

    def dms_type(self, declared: str) -> DmsType:
        """What a column declared so becomes. Raises TypeRefused for a type that is not carried."""
        ...


class Upkeep(Protocol):
    """What is asked of, and done in, a database while it is replicated and after: a module with these names."""

    def log_use(self, query: Query, storage_bytes: int | None, /) -> LogUse:
        """What is retained of the log; ``storage_bytes`` is the size of the database's disk, None if unknown."""
        ...

    def held(self, query: Query, task: str, /) -> list[str]:
        """Names of what keeps the log for a replication task, while it is there; ``task``: the last part of its ARN."""
        ...

    def clean_up(self, query: Query, held: Sequence[str], tables: Sequence[Table], /) -> list[str]:
        """Take away what replication of these tables left, once nothing of it is read; what was done, in words.

        ``held`` are names that ``held()`` gave. Harmless where there is nothing to do.
        """
        ...

    def left(self, query: Query, held: Sequence[str], /) -> list[str]:
        """Which of these still keep the log."""
        ...

    def change_password(self, query: Query, user: str, old: str, new: str, /) -> None:
        """Give the user that asks another password."""
        ...


class Zoo(Protocol):
    """An engine's types with their edge values: a module with these names."""

    @property
    def setup(self) -> Sequence[str]:
        """Statements that the types need, each harmless a second time."""
        ...

    @property
    def families(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """By family and type as a column is declared: values as ``Samples.insert`` writes them."""
        ...


@dataclass(frozen=True)
class DatabaseMaker:
    """How a database is made where RDS makes none: from ``home``, one that is always there."""

    home: str
    make: Callable[[Query, str], None]
    """Makes a database by its name, where it is not there."""


class Samples(Protocol):
    """How sample tables are made and filled: a module with these names."""

    @property
    def zoo(self) -> Zoo:
        """Every type."""
        ...

    @property
    def maker(self) -> DatabaseMaker | None:
        """None where RDS makes the database that the settings name."""
        ...

    begin: str
    """The statement that begins a transaction."""

    def open_schema(self, query: Query, schema: str, /) -> None:
        """Make the schema where it is not there, and the session one that takes the rows as they are written."""
        ...

    def quoted(self, *names: str) -> str:
        """A name, or a schema and a name, as SQL."""
        ...

    def declared(self, standard: str, /) -> str:
        """A column's type of a sample table in the engine's words. Raises KeyError for one that none has."""
        ...

    def insert(
        self, connection: Any, table: Table, columns: Sequence[SampleColumn], values: Sequence[Sequence[object]], /
    ) -> None:
        """Write rows, given column by column, on a connection that ``connect`` has opened."""
        ...


class Clients(Protocol):
    """How its clients are told where a database is: a module with these names."""

    @property
    def tools(self) -> Mapping[str, Callable[[Target], str]]:
        """By the name of the tool: a command for a shell, a connection string, or Python."""
        ...


class SampleColumn(Protocol):
    """A column of a sample table."""

    @property
    def name(self) -> str:
        """As it is spelt everywhere."""
        ...

    @property
    def type(self) -> str:
        """In the words that ``Samples.declared`` takes."""
        ...

    @property
    def own(self) -> bool:
        """Whether type and values are in the engine's words already."""
        ...


class Engine(Protocol):
    """One engine: a module with these names."""

    @property
    def infrastructure(self) -> Infrastructure:
        """What RDS and DMS have to be told."""
        ...

    @property
    def types(self) -> SourceTypes:
        """What becomes of the types of its columns."""
        ...

    @property
    def reconciliation(self) -> Reconciliation:
        """How its rows are read for a comparison."""
        ...

    @property
    def connect(self) -> Callable[[Login, str, Trust | None], Any]:
        """Opens a connection (DB API 2.0) to a database by its name, committing each statement at once.

        Without TLS where the third is None.
        """
        ...

    @property
    def capture(self) -> Capture:
        """What change files tell of a change."""
        ...

    @property
    def upkeep(self) -> Upkeep | None:
        """None for an engine whose databases are their owners' to look after."""
        ...

    @property
    def replica(self) -> Feeding | None:
        """None for an engine in which no replica can be kept."""
        ...

    @property
    def samples(self) -> Samples | None:
        """None for an engine that no sample system is made on."""
        ...

    @property
    def clients(self) -> Clients:
        """The tools that people look into its databases with."""
        ...

    @property
    def preparation(self) -> Preparation:
        """What makes its databases sources."""
        ...

    @property
    def preflight(self) -> Preflight:
        """What is looked at before a task starts."""
        ...
