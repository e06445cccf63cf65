"""What an environment may say. Every difference between environments is a field here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from catchment.engines import engine
from catchment.settings.database import KeyArn
from catchment.settings.network import NetworkSettings
from catchment.settings.replica import ReplicaSettings
from catchment.settings.samples import Files
from catchment.settings.source import EngineName, SourceSettings
from catchment.settings.values import Allowed, ColumnName, Flag, Part, Whole, not_allowed

LEASE_SLACK_SECONDS = 5
"""What a lease lasts longer than the call that holds it may run."""

ARN_OF_POLICY = r"arn:aws[\w-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]+"

CAPACITY_UNITS = (1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384)
"""AWS DMS API Reference, ComputeConfig."""

Days = Annotated[int, Whole(1, 3653)]
SourceName = Annotated[
    str,
    Allowed(
        "a name of small letters, digits and -, at most 31 characters; not gold, which is a database of its own",
        r"(?!gold$)[a-z][a-z0-9-]{0,30}",
    ),
]

StackPrefix = Annotated[
    str,
    Allowed(
        "a name of small letters, digits and single -, at most 30 characters, that begins with neither aws nor ssm",
        r"(?!aws|ssm|.*--|.*-$)[a-z][a-z0-9-]{0,29}",
    ),
]

ZoneName = Literal["landing", "silver", "gold", "quarantine", "artifacts", "queries"]
BucketName = Annotated[str, Allowed("the name of a bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")]


class LakeSettings(Part):
    """How long the zones keep what they hold, and how much a query may read. Silver and gold are kept for good."""

    landing_days: Days
    """The landing zone is what a late file is replayed with: longer than the longest outage of the applier."""
    quarantine_days: Days
    artifact_days: Days
    """What jobs leave behind besides tables, for example the event logs of Spark."""
    query_days: Days
    """Results of Athena."""
    log_days: Days
    buckets: dict[ZoneName, BucketName] = Field(default_factory=dict)
    """Zones that are in a bucket which is there already, in this account and region."""
    key_arn: KeyArn | None = None
    """The key that encrypts everything; left out: one is made."""
    scan_limit_gb: Annotated[int, Whole(1, 7000)]
    """What one query of Athena may read before it is cancelled: 1,000 GB cost about 5 $."""
    samples: Files | None = None
    """Sample files in the artifact zone, written by a function. Left out: none, and no function."""

    @model_validator(mode="after")
    def _no_bucket_twice(self) -> LakeSettings:
        if len(set(self.buckets.values())) < len(self.buckets):
            raise not_allowed("allowed: a bucket for each zone", field="buckets")
        return self


class LandingSettings(Part):
    """Columns that DMS adds to what it writes. A change of any of them means a full reload."""

    timestamp_column: ColumnName
    sequence_column: ColumnName
    before_image_prefix: ColumnName


def _capacity(units: int) -> int:
    if units not in CAPACITY_UNITS:
        raise not_allowed(f"allowed: {', '.join(map(str, CAPACITY_UNITS))}")
    return units


class ServerlessSettings(Part):
    """Capacity in DMS capacity units of 2 GB of memory: 1, 2, 4, 8, 16, 32, 64, 128, 192, 256 or 384."""

    min_units: Annotated[int, AfterValidator(_capacity)]
    max_units: Annotated[int, AfterValidator(_capacity)]

    @model_validator(mode="after")
    def _rising(self) -> ServerlessSettings:
        if self.max_units < self.min_units:
            raise not_allowed("allowed: at least min_units", field="max_units")
        return self


class ReplicationSettings(Part):
    """What DMS runs on: one replication instance for all tasks, or for each source capacity that it chooses."""

    serverless: ServerlessSettings | None = None
    """DMS Serverless; ``instance_class``, ``engine_version`` and ``storage_gb`` say nothing then."""

    instance_class: Annotated[
        str, Allowed("a DMS instance class, for example dms.t3.medium", r"dms\.[a-z0-9]+\.[a-z0-9]+")
    ]
    engine_version: Annotated[str, Allowed("a DMS engine version, for example 3.5.4", r"\d+\.\d+\.\d+")]
    storage_gb: Annotated[int, Whole(5, 6144)]
    wait_seconds: Annotated[int, Whole(1, 300)]
    """How often a deployment looks at a task that it waits for."""
    account_roles: Literal["ensure", "given"]
    """dms-vpc-role and dms-cloudwatch-logs-role exist once an account. ``ensure``: a deployment makes what is missing
    of them and takes nothing away; ``given``: others look after them."""


class SparkSettings(Part):
    """The Glue job that applies what is too much for the function. It costs nothing while it does not run."""

    worker_type: Literal["G.1X", "G.2X"]
    workers: Annotated[int, Whole(2, 299)]
    """One of them is the driver."""
    timeout_minutes: Annotated[int, Whole(5, 2880)]
    max_runs: Annotated[int, Whole(1, 200)]
    """Tables worked on at the same time."""
    after_minutes: Annotated[int, Whole(1, 1440)]
    """A table goes to Spark if the function would need longer than this for all that is waiting for it."""


class ApplySettings(Part):
    """The functions that turn change files into tables."""

    engine: EngineName
    """``auto`` chooses for each commit by size; a table's own setting comes first."""
    spark: SparkSettings

    memory_mb: Annotated[int, Whole(512, 10_240)]
    disk_mb: Annotated[int, Whole(512, 10_240)]
    """What does not fit into memory goes to the function's disk."""
    timeout_seconds: Annotated[int, Whole(30, 900)]
    max_concurrency: Annotated[int, Whole(2, 1000)]
    """Tables worked on at the same time."""
    batch_seconds: Annotated[int, Whole(0, 300)]
    """How long events are gathered before a function is called."""
    commit_mb: Annotated[int, Whole(1, 4096)]
    """Landing files taken into one commit, by size."""
    commit_files: Annotated[int, Whole(1, 10_000)]
    """Landing files taken into one commit, by number."""
    retry_seconds: Annotated[int, Whole(60, 43_200)]
    """When a message that was not dealt with comes back: after the lease of a call that was killed has ended."""
    max_receives: Annotated[int, Whole(1, 1000)]
    """Attempts before a message goes to the dead-letter queue."""
    sweep_minutes: Annotated[int, Whole(2, 1440)]
    """How often every table is looked at, whether an event told of it or not."""

    @model_validator(mode="after")
    def _retry_after_the_lease(self) -> ApplySettings:
        # A lease is renewed until the time-out at the latest, and then lasts for a time-out more.
        if self.retry_seconds < 2 * self.timeout_seconds + LEASE_SLACK_SECONDS:
            what = f"allowed: at least twice timeout_seconds + {LEASE_SLACK_SECONDS}"
            raise not_allowed(what, field="retry_seconds")
        return self


class MaintenanceSettings(Part):
    """What keeps tables cheap to read."""

    every_hours: Annotated[int, Whole(1, 720)]
    """How often every table is looked at; what is done depends on its own figures."""
    file_days: Days
    """How long data files are kept that no version of the table needs any more."""
    log_days: Days
    """How long commits and checkpoints are kept."""

    @model_validator(mode="after")
    def _log_outlives_files(self) -> MaintenanceSettings:
        if self.log_days < self.file_days:
            raise not_allowed("allowed: at least file_days", field="log_days")
        return self


class MonitoringSettings(Part):
    """When somebody is told."""

    email: Annotated[str, Allowed("an e-mail address", r"[^@\s]+@[^@\s]+")] | None = None
    source_latency_minutes: Annotated[int, Whole(1, 1440)]
    """How late DMS may read a change."""
    target_latency_minutes: Annotated[int, Whole(1, 1440)]
    """How late DMS may write it."""
    rows_per_second: Annotated[int, Whole(1, 1_000_000)]
    """What DMS writes at least while changes wait."""
    table_minutes: Annotated[int, Whole(1, 5)]
    """How often DMS is asked how its tables are, and the lake how late they are: within the five minutes of alarms."""
    headroom_minutes: Annotated[int, Whole(1, 60)]
    """How often each source is asked how much of its log it keeps for replication."""
    lake_lag_minutes: Annotated[int, Whole(1, 1440)]
    """How long a landed file may wait to be in the lake. A table may say otherwise."""
    error_percent: Annotated[int, Whole(0, 99)]
    """How many of a function's calls may fail."""
    free_storage_percent: Annotated[int, Whole(1, 99)]
    """What databases and the replication instance keep free of their storage."""
    log_headroom_percent: Annotated[int, Whole(1, 99)]
    """What is kept free of what a database's log may grow to while DMS does not read it."""
    log_retained_gb: Annotated[int, Whole(1, 65_536)]
    """How much of its log a database may keep for DMS, whatever it could."""
    zone_gb: dict[ZoneName, Annotated[int, Whole(1, 100_000_000)]] = Field(default_factory=dict)
    """What zones of the lake may hold; left out: as much as they like."""
    daily_dollars: Annotated[int, Whole(1, 1_000_000)] | None = None
    """What a day may cost before somebody is told; left out: no budget."""


class DeliverySettings(Part):
    """The GitHub repository whose workflows deploy this environment, without a stored key."""

    repository: Annotated[str, Allowed("<owner>/<name> of a GitHub repository", r"[\w.-]+/[\w.-]+")]
    branch: Annotated[str, Allowed("the name of a branch", r"[\w./-]+")] = "main"
    """Where plans are looked at besides pull requests: the drift check runs there."""
    create_provider: Flag
    """An account has one provider of GitHub's tokens: true in the first environment of an account, else false."""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


class Settings(Part):
    """One environment of Catchment."""

    environment: Annotated[
        str, Allowed("a name of small letters, digits and -, at most 16 characters", r"[a-z][a-z0-9-]{0,15}")
    ]
    stack_prefix: StackPrefix
    """What stacks, parameters, metrics and the replication instance are named after, before the environment's name."""
    permission_boundary_arn: Annotated[str, Allowed("the ARN of an IAM policy", ARN_OF_POLICY)] | None = None
    """A policy that bounds what every role of the app may be allowed."""
    deletion_protection: Flag
    """Databases and buckets outlive their stack."""
    destroy_data: Flag
    """The second key to deletion: with it, and without deletion protection, destroying a stack destroys its data."""
    multi_az: Flag
    """A standby of databases and replication in a second zone."""
    tags: dict[str, str] = Field(default_factory=dict)
    network: NetworkSettings
    lake: LakeSettings
    landing: LandingSettings
    replication: ReplicationSettings
    apply: ApplySettings
    maintenance: MaintenanceSettings
    monitoring: MonitoringSettings
    delivery: DeliverySettings | None = None
    """Left out: deployed by hand, or by other means."""
    sources: dict[SourceName, SourceSettings] = Field(min_length=1)
    replica: ReplicaSettings | None = None
    """Left out: the lake alone."""

    @model_validator(mode="after")
    def _dms_reads_every_source(self) -> Settings:
        if self.replication.serverless is not None:
            return self
        least = {name: source.least_dms_version for name, source in self.sources.items()}
        for name, version in least.items():
            if version is not None and _numbers(self.replication.engine_version) < _numbers(version):
                what = f"allowed: {version} or newer, which reads the log of sources.{name}"
                raise not_allowed(what, field=("replication", "engine_version"))
        return self

    @model_validator(mode="after")
    def _two_keys_agree(self) -> Settings:
        if self.destroy_data and self.deletion_protection:
            raise not_allowed("allowed: true only where deletion_protection is false", field="destroy_data")
        return self

    @model_validator(mode="after")
    def _replica_of_a_source(self) -> Settings:
        replica = self.replica
        if replica is None:
            return self
        if replica.source not in self.sources:
            raise not_allowed(f"allowed: {', '.join(self.sources)}", field=("replica", "source"))
        tables = tuple(self.sources[replica.source].tables)
        if unknown := set(replica.names(tables)) - set(tables):
            raise not_allowed(f"allowed: tables of {replica.source}, not {min(unknown)}", field=("replica", "tables"))
        feeding = engine(replica.engine).replica
        if feeding is not None and feeding.one_schema:
            names = [name.partition(".")[2].casefold() for name in replica.names(tables)]
            if twice := {name for name in names if names.count(name) > 1}:
                what = f"allowed: one table called {min(twice)}, since all lie in one database of {replica.engine}"
                raise not_allowed(what, field=("replica", "tables"))
        vpc = self.network.vpc
        if vpc is not None and "dynamodb" not in vpc.endpoints and any(not s.route_table_id for s in vpc.subnets):
            what = "allowed with a replica: dynamodb, or a route_table_id for each subnet, where its endpoint is made"
            raise not_allowed(what, field=("network", "vpc", "endpoints"))
        return self

    @property
    def name(self) -> str:
        """What everything of the environment is named after, for example ``catchment-dev``."""
        return f"{self.stack_prefix}-{self.environment}"

    @model_validator(mode="after")
    def _serverless_begins_now(self) -> Settings:
        for name, source in self.sources.items():
            if self.replication.serverless is not None and source.start_position is not None:
                what = "allowed: without replication.serverless only, which follows changes from when it starts"
                raise not_allowed(what, field=("sources", name, "start_position"))
        return self

    def tables_files(self) -> dict[str, dict[str, Any]]:
        """Each source's tables in the form ``catchment apply --tables`` reads, by source name."""
        landing = {"format": "parquet", **self.landing.model_dump()}
        return {name: source.tables_file(landing, self.apply.engine) for name, source in self.sources.items()}

    def replica_files(self) -> dict[str, dict[str, Any]]:
        """The same of the replica: its source, with the tables that it has."""
        assert self.replica is not None, "there is a replica"
        file = self.tables_files()[self.replica.source]
        names = self.replica.names(tuple(file["tables"]))
        return {self.replica.source: {**file, "tables": {name: file["tables"][name] for name in names}}}
