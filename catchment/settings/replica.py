"""A replica: a database that is kept as a source is, from the same landing files as the lake."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from catchment.engines import engine
from catchment.settings.database import ExternalSettings, RdsSettings
from catchment.settings.values import Allowed, Part, Whole, not_allowed


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise not_allowed("allowed: each table once")
    return names


class ReplicaSettings(Part):
    """The database, and what it is to hold."""

    source: str
    """The name of the source."""
    tables: Annotated[tuple[str, ...], AfterValidator(_each_once)] | None = None
    """Those that the replica has, as the source's settings name them; left out: all."""
    engine: Literal["postgresql", "mysql", "mariadb"]
    database: Annotated[str, Allowed("letters, digits and _, at most 63", r"[A-Za-z_][A-Za-z0-9_]{0,62}")]
    """In PostgreSQL tables lie in it by their schemas, in MySQL all together."""
    rds: RdsSettings | None = None
    """One of this or ``external``."""
    external: ExternalSettings | None = None
    certificate_file: (
        Annotated[str, Allowed("the path of a .pem file, from cdk.json's folder", r"[^/].*\.pem")] | None
    ) = None
    """Who has signed the certificate of an external database; left out: an authority of RDS."""
    max_concurrency: Annotated[int, Whole(2, 1000)] = 4
    """Tables worked on at the same time; each has a connection."""

    @model_validator(mode="after")
    def _one_database(self) -> ReplicaSettings:
        if (self.rds is None) == (self.external is None):
            raise not_allowed("exactly one of rds and external has to be given", field="rds")
        if self.rds is not None and self.rds.rotate_days is not None:
            raise not_allowed("allowed: none for a replica", field=("rds", "rotate_days"))
        if self.rds is not None and self.certificate_file is not None:
            raise not_allowed("allowed: with external only", field="certificate_file")
        return self

    @property
    def port(self) -> int:
        """Where the database listens."""
        given = self.external.port if self.external is not None else None
        return given or engine(self.engine).infrastructure.port

    def names(self, tables: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the source's ``tables`` that the replica has."""
        return self.tables if self.tables is not None else tables
