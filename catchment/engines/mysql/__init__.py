"""MySQL as a source."""

from __future__ import annotations

from types import MappingProxyType

from catchment.engines.base import Capture, Feeding, Infrastructure, Rds
from catchment.engines.mysql import clients, preflight, preparation, reconciliation, samples, types, upkeep
from catchment.engines.mysql.connect import connect
from catchment.engines.mysql.versions import least_dms_version

__all__ = [
    "capture",
    "clients",
    "connect",
    "infrastructure",
    "preflight",
    "preparation",
    "reconciliation",
    "replica",
    "samples",
    "types",
    "upkeep",
]

capture = Capture()

replica = Feeding(
    scheme="mysql",
    parameters=MappingProxyType({"local_infile": "1", "require_secure_transport": "1"}),
    one_schema=True,
)

infrastructure = Infrastructure(
    dms_engine="mysql",
    port=3306,
    rds=Rds(
        engine="mysql",
        engine_version="8.4.9",
        major_version=lambda version: ".".join(version.split(".")[:2]),
        least_dms_version=least_dms_version,
        # AWS DMS User Guide, CHAP_Source.MySQL: any other row image leaves columns out of the change records.
        parameters=MappingProxyType(
            {"binlog_format": "ROW", "binlog_row_image": "FULL", "require_secure_transport": "1"}
        ),
        log_exports=("error",),
    ),
    endpoint_names_database=False,
    # RDS runs in UTC unless its parameter group says otherwise; TIMESTAMP columns are read in this zone.
    endpoint_settings=MappingProxyType({"ServerTimezone": "UTC", "EventsPollInterval": 5}),
    # CHAP_Security.SSL: DMS knows no "require" for MySQL.
    ssl_modes=("verify-ca", "verify-full"),
    replicates_without_key=True,
    log_position=r"[\w.-]+\.\d+:\d+",
    log_position_example="mysql-bin-changelog.000024:373",
)
