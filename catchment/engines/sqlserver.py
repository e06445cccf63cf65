"""SQL Server as a source."""

from __future__ import annotations

from types import MappingProxyType

from catchment.engines.base import Infrastructure

infrastructure = Infrastructure(
    dms_engine="sqlserver",
    # Change data capture needs Standard or better (AWS DMS User Guide, CHAP_Source.SQLServer).
    rds_engine="sqlserver-se",
    port=1433,
    engine_version="16.00.4265.3.v1",
    major_version=lambda version: ".".join(version.split(".")[:2]),
    parameters=MappingProxyType({"rds.force_ssl": "1"}),
    log_exports=("error", "agent"),
    license_model="license-included",
    rds_makes_database=False,
    # Said outright because reconciliation trims CHAR(n) alike.
    endpoint_settings=MappingProxyType({"TrimSpaceInChar": True}),
    ssl_mode="require",
    replicates_without_key=True,
    log_position=r"[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{4}",
    log_position_example="0000007c:0000029b:0003",
)
