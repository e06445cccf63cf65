"""SQL Server as a source."""

from __future__ import annotations

from types import MappingProxyType

from catchment.engines.base import Capture, Infrastructure, Rds
from catchment.engines.sqlserver import clients, preflight, preparation, reconciliation, samples, types, upkeep
from catchment.engines.sqlserver.connect import connect

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

replica = None

capture = Capture(splits_key_updates=True)

infrastructure = Infrastructure(
    dms_engine="sqlserver",
    port=1433,
    rds=Rds(
        # Change data capture needs Standard or better (AWS DMS User Guide, CHAP_Source.SQLServer).
        engine="sqlserver-se",
        engine_version="16.00.4265.3.v1",
        major_version=lambda version: ".".join(version.split(".")[:2]),
        parameters=MappingProxyType({"rds.force_ssl": "1"}),
        log_exports=("error", "agent"),
        license_model="license-included",
        makes_database=False,
    ),
    # Said outright because reconciliation trims CHAR(n) alike.
    endpoint_settings=MappingProxyType({"TrimSpaceInChar": True}),
    # CHAP_Security.SSL: no verify-ca for SQL Server.
    ssl_modes=("require", "verify-full"),
    replicates_without_key=True,
    log_position=r"[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{4}",
    log_position_example="0000007c:0000029b:0003",
)
