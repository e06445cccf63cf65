"""SourceDatabase."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import Duration, RemovalPolicies, RemovalPolicy
from aws_cdk.aws_ec2 import InstanceType, ISecurityGroup, IVpc, Port, SecurityGroup, SubnetSelection, SubnetType
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_rds import (
    CaCertificate,
    CfnDBInstance,
    Credentials,
    DatabaseInstance,
    DatabaseInstanceEngine,
    DatabaseSecret,
    IInstanceEngine,
    LicenseModel,
    MariaDbEngineVersion,
    MysqlEngineVersion,
    ParameterGroup,
    PostgresEngineVersion,
    SqlServerEngineVersion,
    StorageType,
)
from aws_cdk.aws_secretsmanager import ISecret
from constructs import Construct

from catchment_constructs.acknowledge import acknowledge

REFUSED_IN_PASSWORDS = ";.:+{}*&,%\\/@\"' `$?#[]^~|<>=!()"
"""Characters that DMS, RDS or a connection string would take for something else."""


@dataclass(frozen=True, kw_only=True)
class DatabaseEngine:
    """Which engine, and what change data capture wants from it."""

    rds_engine: str
    """``postgres``, ``mysql``, ``mariadb`` or ``sqlserver-se``."""
    version: str
    """A full engine version."""
    major_version: str
    """What the parameter group family is made from, for example 18, 8.4 or 16.00."""
    port: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    log_exports: Sequence[str] = ()
    license_included: bool = False
    takes_database_name: bool = True
    parameters_are: str = "What change data capture needs"
    """What the parameter group says of itself."""


class SourceDatabase(Construct):
    """An RDS database set up for change data capture, with a generated secret that DMS can read.

    A database that is retained keeps what it cannot do without: its secret and its groups. The network has to stay too.

    ``max_storage_gb`` is how far its storage grows by itself, ``performance_insights_days`` (7, months of 31, or 731)
    how long what Performance Insights sees is kept; None leaves either off. ``rotated``: its password is changed.

    Example: ``SourceDatabase(self, "Sales", engine=engine, database="sales", vpc=vpc, …).secret``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        engine: DatabaseEngine,
        database: str,
        vpc: IVpc,
        key: IKey,
        instance_class: str,
        storage_gb: int,
        backup_days: int,
        ca_certificate: str,
        max_storage_gb: int | None = None,
        performance_insights_days: int | None = None,
        rotated: bool = False,
        multi_az: bool,
        deletion_protection: bool,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        self._secret = DatabaseSecret(
            self,
            "Secret",
            username="catchment",
            dbname=database,
            encryption_key=key,
            exclude_characters=REFUSED_IN_PASSWORDS,
        )
        self.storage_gb: int = storage_gb
        instance_engine = _instance_engine(engine)
        self.instance = DatabaseInstance(
            self,
            "Instance",
            engine=instance_engine,
            parameter_group=ParameterGroup(
                self,
                "Parameters",
                engine=instance_engine,
                description=engine.parameters_are,
                parameters=dict(engine.parameters),
            ),
            database_name=database if engine.takes_database_name else None,
            port=engine.port,
            license_model=LicenseModel.LICENSE_INCLUDED if engine.license_included else None,
            cloudwatch_logs_exports=list(engine.log_exports),
            credentials=Credentials.from_secret(self._secret),
            vpc=vpc,
            vpc_subnets=SubnetSelection(subnet_type=SubnetType.PRIVATE_ISOLATED),
            security_groups=[
                SecurityGroup(
                    self, "SecurityGroup", vpc=vpc, description=f"Database {construct_id}", allow_all_outbound=False
                )
            ],
            publicly_accessible=False,
            instance_type=InstanceType(instance_class.removeprefix("db.")),
            allocated_storage=storage_gb,
            max_allocated_storage=max_storage_gb,
            storage_type=StorageType.GP3,
            storage_encryption_key=key,
            backup_retention=Duration.days(backup_days),
            delete_automated_backups=removal_policy == RemovalPolicy.DESTROY,
            ca_certificate=CaCertificate.of(ca_certificate),
            multi_az=multi_az,
            # The version is a setting: an upgrade is seen in the diff before it happens.
            auto_minor_version_upgrade=False,
            deletion_protection=deletion_protection,
            removal_policy=removal_policy,
        )
        if performance_insights_days is not None:
            self._watch_performance(performance_insights_days, key)
        attached = self.instance.secret
        assert attached is not None
        self.secret: ISecret = attached
        self.secret_key: IKey = key
        self._port = Port.tcp(engine.port)
        if removal_policy == RemovalPolicy.RETAIN:
            # But for the rules that name clients' groups: with them these groups could not be deleted.
            RemovalPolicies.of(self).retain(
                exclude_resource_types=["AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"]
            )
        self._acknowledge(multi_az, deletion_protection, rotated)

    def _watch_performance(self, days: int, key: IKey) -> None:
        resource = self.instance.node.default_child
        assert isinstance(resource, CfnDBInstance)
        resource.enable_performance_insights = True
        resource.performance_insights_retention_period = days
        resource.performance_insights_kms_key_id = key.key_arn

    def allow_from(self, clients: ISecurityGroup, description: str) -> None:
        """Let what is in a group reach the database."""
        self.instance.connections.allow_from(clients, self._port, description)

    def _acknowledge(self, multi_az: bool, deletion_protection: bool, rotated: bool) -> None:
        if not rotated:
            acknowledge(self._secret, {"AwsSolutions-SMG4": "The environment's settings choose to keep the password."})
        reasons = {"AwsSolutions-RDS11": "The port is open to single security groups, in isolated subnets."}
        if not multi_az:
            reasons["AwsSolutions-RDS3"] = "The environment's settings choose a single zone."
        if not deletion_protection:
            reasons["AwsSolutions-RDS10"] = "The environment's settings allow deletion."
        acknowledge(self.instance, reasons)


def _instance_engine(engine: DatabaseEngine) -> IInstanceEngine:
    if engine.rds_engine not in _ENGINES:
        raise ValueError(f"rds_engine {engine.rds_engine!r}: one of {', '.join(_ENGINES)}")
    return _ENGINES[engine.rds_engine](engine.version, engine.major_version)


_ENGINES: Mapping[str, Callable[[str, str], IInstanceEngine]] = {
    "postgres": lambda full, major: DatabaseInstanceEngine.postgres(version=PostgresEngineVersion.of(full, major)),
    "mysql": lambda full, major: DatabaseInstanceEngine.mysql(version=MysqlEngineVersion.of(full, major)),
    "mariadb": lambda full, major: DatabaseInstanceEngine.maria_db(version=MariaDbEngineVersion.of(full, major)),
    "sqlserver-se": lambda full, major: DatabaseInstanceEngine.sql_server_se(
        version=SqlServerEngineVersion.of(full, major)
    ),
}
