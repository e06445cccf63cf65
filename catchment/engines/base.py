"""What every database engine answers. The modules beside this one each satisfy ``Engine``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Rds:
    """What RDS has to be told about an engine."""

    engine: str
    """Engine of the RDS instance."""
    engine_version: str
    """The full version taken when the settings name none."""
    major_version: Callable[[str], str]
    """From a full engine version to the part that names its parameter group family."""
    parameters: Mapping[str, str]
    """Parameter group entries that change data capture needs."""
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
    replicates_without_key: bool = False
    """Whether DMS replicates updates and deletes of a table that has no key."""


class Engine(Protocol):
    """One engine: a module with these names."""

    @property
    def infrastructure(self) -> Infrastructure:
        """What RDS and DMS have to be told."""
        ...
