"""Where a source's database is: made here, or run by somebody else."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from catchment.settings.values import Allowed, Part, Whole, not_allowed

KeyArn = Annotated[str, Allowed("the ARN of a KMS key", r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+")]


def _insight_days(days: int) -> int:
    if days not in (7, 731) and days not in range(31, 24 * 31, 31):
        raise not_allowed("allowed: 7, a multiple of 31 up to 713, or 731")
    return days


class RdsSettings(Part):
    """An RDS instance of the Sources stack."""

    engine_version: Annotated[str, Allowed("a full engine version of RDS, for example 18.4", r"\d+(\.\w+)+")] | None = (
        None
    )
    """Left out: the version in the engine's module."""
    instance_class: Annotated[
        str, Allowed("an RDS instance class, for example db.t4g.medium", r"db\.[a-z0-9-]+\.[a-z0-9]+")
    ]
    storage_gb: Annotated[int, Whole(20, 65_536)]
    max_storage_gb: Annotated[int, Whole(22, 65_536)] | None = None
    """How far RDS may enlarge the storage by itself when it runs full; left out: not at all."""
    backup_days: Annotated[int, Whole(1, 35)]
    """Zero is not offered: without backups MySQL keeps no binary log and SQL Server captures no changes."""
    rotate_days: Annotated[int, Whole(1, 1000)] | None = None
    """How often the password is changed, by a function beside the database. Left out: never."""
    performance_insights_days: Annotated[int, AfterValidator(_insight_days)] | None = None
    """How long Performance Insights keeps what it sees; left out: it is off. Beyond 7 days it is billed."""
    ca_certificate: Annotated[
        str, Allowed("a certificate authority of RDS, for example rds-ca-rsa2048-g1", r"rds-ca-[a-z0-9]+-g\d")
    ]
    """Who signs the certificate that the database shows."""
    parameters: dict[str, str] = Field(default_factory=dict)
    """Entries of the parameter group besides those that change data capture needs."""

    @model_validator(mode="after")
    def _room_to_grow(self) -> RdsSettings:
        # Amazon RDS User Guide, "Managing capacity automatically": at least 10 percent more.
        if self.max_storage_gb is not None and 10 * self.max_storage_gb < 11 * self.storage_gb:
            raise not_allowed("allowed: at least 10 percent more than storage_gb", field="max_storage_gb")
        return self


def _range(text: str) -> str:
    try:
        return str(IPv4Network(text))
    except ValueError:
        raise not_allowed("allowed: an IPv4 address or range, for example 10.20.0.15 or 10.20.0.0/24") from None


class ExternalSettings(Part):
    """A database that somebody else runs: on premises, in another account, an RDS instance that is there already.

    DMS takes host, port, user and password from the secret (``host``, ``port``, ``username``, ``password``).
    """

    secret_arn: (
        Annotated[str, Allowed("the full ARN of a secret", r"arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:.+-\w{6}")]
        | None
    ) = None
    """One of this or ``secret_name``; another account's secret is named by its ARN."""
    secret_name: Annotated[str, Allowed("the name of a secret", r"[\w/+=.@-]{1,512}")] | None = None
    secret_key_arn: KeyArn | None = None
    """The key that encrypts the secret; left out: the key aws/secretsmanager of this account."""
    address: Annotated[str, AfterValidator(_range)] | None = None
    """What replication may reach: one of this or ``security_group_id``."""
    security_group_id: Annotated[str, Allowed("the id of a security group", r"sg-[0-9a-f]{8,17}")] | None = None
    """The group of a database in the network, or in a peered one; it gets a rule that lets replication in."""
    port: Annotated[int, Whole(1, 65_535)] | None = None
    """As the secret says it; left out: the engine's own."""

    @model_validator(mode="after")
    def _one_of_each(self) -> ExternalSettings:
        for one, other in (("secret_arn", "secret_name"), ("address", "security_group_id")):
            if (getattr(self, one) is None) == (getattr(self, other) is None):
                raise not_allowed(f"exactly one of {one} and {other} has to be given", field=one)
        return self
