"""Sources and their tables: the one list that mappings, contracts, alarms and reconciliation are made from."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from catchment.engines import engine
from catchment.settings.database import ExternalSettings, RdsSettings
from catchment.settings.loading import Migration, ParallelLoad, position_misfit
from catchment.settings.samples import Samples, system_of
from catchment.settings.values import Allowed, ColumnName, Flag, Part, Whole, no_column_twice, not_allowed

EngineName = Literal["auto", "lambda", "spark"]
"""Who applies changes."""


def _exact_name(name: str) -> str:
    schema, dot, table = name.partition(".")
    if not (schema and dot and table) or any(mark in name for mark in "%/\\") or not name.isprintable():
        what = "<schema>.<table>, both exactly as in the source; no wildcard (%), no slash"
        raise not_allowed(f"allowed: {what}")
    return name


class TableSettings(Part):
    """What is known of a table before any of its files is seen."""

    key: Annotated[tuple[ColumnName, ...], AfterValidator(no_column_twice)]
    """The primary key's columns in key order. A table without one says so: ``[]``."""
    lob_max_kb: Annotated[int, Whole(1, 102_400)] | None = None
    """Overrides the source's size limit of large values."""
    parallel_load: ParallelLoad | None = None
    """Left out: the table is loaded as a whole."""
    deletion_vectors: Flag | None = None
    """Overrides the source's."""
    engine: EngineName | None = None
    """Overrides ``apply.engine``."""
    partition_by: Annotated[tuple[ColumnName, ...], AfterValidator(no_column_twice)] = ()
    """The columns whose values the table's files are kept apart by; a change of them means a reload."""
    lake_lag_minutes: Annotated[int, Whole(1, 1440)] | None = None
    """Overrides ``monitoring.lake_lag_minutes``."""
    full_rows: Flag | None = None
    """Whether the source logs the whole old row; left out: where PostgreSQL stores large values of it out of line."""
    renamed: dict[ColumnName, ColumnName] = Field(default_factory=dict)
    """From former names of columns to present ones: files do not tell a renaming from a drop and an add."""


class SourceSettings(Part):
    """A source database with the tables that are replicated from it."""

    engine: Literal["postgresql", "mysql", "mariadb", "sqlserver", "oracle"]
    database: Annotated[
        str, Allowed("a database name of letters, digits, _ . $ # and -", r"[A-Za-z_][A-Za-z0-9_.$#-]{0,127}")
    ]
    """For Oracle the SID or the name of the service."""
    rds: RdsSettings | None = None
    """One of this or ``external``."""
    external: ExternalSettings | None = None
    ssl_mode: Literal["require", "verify-ca", "verify-full"] | None = None
    """Left out: the strictest of the engine's where there is a certificate, else the one that takes none."""
    certificate_arn: (
        Annotated[str, Allowed("the ARN of a CA certificate imported into DMS", r"arn:[\w-]+:dms:.*:cert:.+")] | None
    ) = None
    """At most one of this and ``certificate_file``."""
    certificate_file: (
        Annotated[str, Allowed("the path of a .pem or .sso file, from cdk.json's folder", r"[^/].*\.(pem|sso)")] | None
    ) = None
    """CA certificates as PEM, for Oracle a wallet (.sso); it is imported into DMS."""
    log_reader: Literal["logminer", "binary"] | None = None
    """How DMS reads Oracle's log; left out: LogMiner."""
    lob_max_kb: Annotated[int, Whole(1, 102_400)]
    """Longer values are cut by DMS. No default: whoever deploys must have looked at the data."""
    max_batch_seconds: Annotated[int, Whole(1, 3600)]
    """CdcMaxBatchInterval: how long DMS gathers changes of a table before it writes a file."""
    min_file_kb: Annotated[int, Whole(1, 1_048_576)]
    """CdcMinFileSize: how much DMS gathers at most before it writes a file."""
    parallel_tables: Annotated[int, Whole(1, 49)]
    """MaxFullLoadSubTasks: tables loaded at the same time."""
    migration: Migration = "full-load-and-cdc"
    """``full-load`` loads and stops, ``cdc`` follows changes of tables that came into the lake by other means."""
    start_position: Annotated[str, Allowed("a position in the source's log")] | None = None
    """Where ``cdc`` begins; left out: when the task is first started."""
    slot_name: (
        Annotated[str, Allowed("a replication slot of small letters, digits and _", r"[a-z0-9_]{1,63}")] | None
    ) = None
    """PostgreSQL: a slot made beforehand. DMS makes its own where none is named, and takes only its own away."""
    prepare: Flag = False
    """Whether a deployment sets the source up for its task, and puts it back when the task goes."""
    outage_hours: Annotated[int, Whole(1, 168)] = 24
    """The longest that the task may stand still without a reload: the source keeps its log for as long."""
    clean_up_on_delete: Flag | None = None
    """Whether what the task leaves in the source goes with it. Left out: PostgreSQL's slots, which would fill the disk,
    and no capture of other engines, which somebody has switched on."""
    deletion_vectors: Flag = False
    """Changed rows of large files are masked rather than their files written again."""
    start_replication: Flag
    """Whether a deploy starts the task, and taking it back stops it. DMS fails a task that finds none of its tables,
    so a new database is deployed without, gets its tables, and is deployed again."""
    samples: Samples | None = None
    """A sample system that a function writes into the database once it is there. Left out: none, and no function."""
    tables: dict[Annotated[str, AfterValidator(_exact_name)], TableSettings] = Field(min_length=1)
    """Those of ``samples`` are among them with their keys; what is said of them here comes on top."""

    @model_validator(mode="after")
    def _samples_fit(self) -> SourceSettings:
        if self.samples is None:
            return self
        if self.rds is None:
            raise not_allowed("allowed: for a database that is made here (rds)", field="samples")
        system = system_of(self.engine, self.samples.model_dump())
        assert system is not None, "RDS has engines with samples only"
        for name, key in system.keys.items():
            if name not in self.tables or self.tables[name].key != key:
                raise not_allowed(f"allowed: {list(key)}, the key of the sample", field=("tables", name, "key"))
        return self

    @model_validator(mode="after")
    def _one_database(self) -> SourceSettings:
        if (self.rds is None) == (self.external is None):
            raise not_allowed("exactly one of rds and external has to be given", field="rds")
        if self.rds is not None and engine(self.engine).infrastructure.rds is None:
            raise not_allowed(f"allowed: none with {self.engine}, whose databases are external", field="rds")
        taken = self._parameters_taken()
        if taken:
            raise not_allowed(
                f"allowed: others than {', '.join(taken)}, which is set already", field=("rds", "parameters")
            )
        if self.rds is not None and not re.fullmatch(r"\w{1,63}", self.database, re.ASCII):
            raise not_allowed("allowed: letters, digits and _, for a database that RDS makes", field="database")
        return self

    @model_validator(mode="after")
    def _as_the_engine_has_it(self) -> SourceSettings:
        facts = engine(self.engine).infrastructure
        if self.log_reader is not None and self.log_reader not in facts.log_readers:
            raise not_allowed(f"allowed: none with {self.engine}", field="log_reader")
        if self.ssl_mode is not None and self.ssl_mode not in facts.ssl_modes:
            raise not_allowed(f"allowed with {self.engine}: {', '.join(facts.ssl_modes)}", field="ssl_mode")
        if self.certificate_arn is not None and self.certificate_file is not None:
            raise not_allowed("allowed: one of it and certificate_arn", field="certificate_file")
        if self.certificate_file is not None and not self.certificate_file.endswith(facts.certificate_suffix):
            raise not_allowed(
                f"allowed with {self.engine}: a {facts.certificate_suffix} file", field="certificate_file"
            )
        if self.dms_ssl_mode.startswith("verify-") and not self._has_certificate:
            what = f"it has to be given, or certificate_file: DMS encrypts by {self.dms_ssl_mode}, with a certificate"
            raise not_allowed(what, field="certificate_arn")
        return self

    @model_validator(mode="after")
    def _begins_where_it_can(self) -> SourceSettings:
        if self.slot_name is not None and not engine(self.engine).infrastructure.names_slot:
            raise not_allowed(f"allowed: none with {self.engine}", field="slot_name")
        if self.start_position is None:
            return self
        if self.migration != "cdc":
            raise not_allowed(
                "allowed: where migration is cdc; a load begins with what is there", field="start_position"
            )
        if misfit := position_misfit(self.engine, self.start_position, self.slot_name):
            raise not_allowed(misfit, field="start_position")
        return self

    @model_validator(mode="after")
    def _parts_hold_every_row(self) -> SourceSettings:
        for name, table in self.tables.items():
            load = table.parallel_load
            if load is not None and (misfit := load.misfit(self.engine, table.key)):
                raise not_allowed(misfit, field=("tables", name, "parallel_load"))
        return self

    def _parameters_taken(self) -> list[str]:
        """Parameters that the settings name although change data capture needs them as they are."""
        facts = engine(self.engine).infrastructure.rds
        said = self.rds.parameters if self.rds is not None else {}
        return sorted(said.keys() & facts.parameters.keys()) if facts is not None else []

    @property
    def dms_ssl_mode(self) -> str:
        """SslMode of the DMS endpoint."""
        modes = engine(self.engine).infrastructure.ssl_modes
        return self.ssl_mode or (modes[-1] if self._has_certificate else modes[0])

    @property
    def _has_certificate(self) -> bool:
        return self.certificate_arn is not None or self.certificate_file is not None

    @property
    def cleans_up(self) -> bool:
        """Whether what the task leaves in the source goes with it."""
        default = engine(self.engine).infrastructure.cleans_up
        return default if self.clean_up_on_delete is None else self.clean_up_on_delete

    @property
    def port(self) -> int:
        """Where the database listens."""
        own = self.external.port if self.external is not None else None
        return own if own is not None else engine(self.engine).infrastructure.port

    @property
    def least_dms_version(self) -> str | None:
        """The first version of DMS that reads this database's log; None where its version is not known here."""
        facts = engine(self.engine).infrastructure.rds
        if self.rds is None or facts is None:
            return None
        return facts.least_dms_version(self.rds.engine_version or facts.engine_version)

    @property
    def endpoint_settings(self) -> dict[str, Any]:
        """The engine's part of the DMS source endpoint, in the spelling of the DMS API."""
        facts = engine(self.engine).infrastructure
        default: str | None = next(iter(facts.log_readers), None)
        chosen = self.log_reader or default
        read = facts.log_readers[chosen] if chosen is not None else {}
        return {**facts.endpoint_settings, **read, **({"SlotName": self.slot_name} if self.slot_name else {})}

    def tables_file(self, landing: dict[str, Any], engine: EngineName) -> dict[str, Any]:
        """The source's tables in the form ``catchment apply --tables`` reads.

        ``landing`` is the form's part of that name: what DMS is told to write. ``engine`` is for tables that say none.
        """
        tables: dict[str, dict[str, Any]] = {}
        for name, table in self.tables.items():
            chosen = table.engine or engine
            tables[name] = {"key": list(table.key)} if table.key else {}
            tables[name] |= {} if chosen == "auto" else {"engine": chosen}
            vectors = self.deletion_vectors if table.deletion_vectors is None else table.deletion_vectors
            tables[name] |= {"deletion_vectors": True} if vectors else {}
            tables[name] |= {"partition_by": list(table.partition_by)} if table.partition_by else {}
            tables[name] |= {"renamed": table.renamed} if table.renamed else {}
        return {"landing": landing, "tables": tables}
