"""Sources and their tables: the one list that mappings, contracts, alarms and reconciliation are made from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from catchment.engines import engine
from catchment.settings.loading import Migration, ParallelLoad, position_misfit
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
    renamed: dict[ColumnName, ColumnName] = Field(default_factory=dict)
    """From former names of columns to present ones: files do not tell a renaming from a drop and an add."""


class SourceSettings(Part):
    """A source database with the tables that are replicated from it."""

    engine: Literal["postgresql", "mysql", "sqlserver"]
    engine_version: Annotated[str, Allowed("a full engine version of RDS, for example 18.4", r"\d+(\.\w+)+")] | None = (
        None
    )
    """Left out: the version in the engine's module."""
    database: Annotated[str, Allowed("a database name of letters, digits and _", r"[A-Za-z_][A-Za-z0-9_]{0,62}")]
    instance_class: Annotated[
        str, Allowed("an RDS instance class, for example db.t4g.medium", r"db\.[a-z0-9-]+\.[a-z0-9]+")
    ]
    storage_gb: Annotated[int, Whole(20, 65_536)]
    backup_days: Annotated[int, Whole(1, 35)]
    """Zero is not offered: without backups MySQL keeps no binary log and SQL Server captures no changes."""
    certificate_arn: (
        Annotated[str, Allowed("the ARN of a CA certificate imported into DMS", r"arn:[\w-]+:dms:.*:cert:.+")] | None
    ) = None
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
    deletion_vectors: Flag = False
    """Changed rows of large files are masked rather than their files written again."""
    start_replication: Flag
    """Whether a deploy starts the task, and taking it back stops it. DMS fails a task that finds none of its tables,
    so a new database is deployed without, gets its tables, and is deployed again."""
    tables: dict[Annotated[str, AfterValidator(_exact_name)], TableSettings] = Field(min_length=1)

    @model_validator(mode="after")
    def _certificate_where_dms_wants_one(self) -> SourceSettings:
        if engine(self.engine).infrastructure.needs_certificate and self.certificate_arn is None:
            what = "it has to be given: DMS encrypts connections to this engine with a CA certificate only"
            raise not_allowed(what, field="certificate_arn")
        return self

    @model_validator(mode="after")
    def _begins_where_it_can(self) -> SourceSettings:
        if self.slot_name is not None and self.engine != "postgresql":
            raise not_allowed("allowed: for engine postgresql only", field="slot_name")
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
