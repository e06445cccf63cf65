"""Oracle as a source: a database that somebody else runs."""

from __future__ import annotations

from types import MappingProxyType

from catchment.engines.base import Capture, Infrastructure
from catchment.engines.oracle import clients, preflight, preparation, reconciliation, types
from catchment.engines.oracle.connect import connect

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

# DMS reads the redo log where its owner keeps it, and leaves nothing in the database.
upkeep = None
samples = None
replica = None


capture = Capture(partial_before_images=True, empty_text_is_null=True)

infrastructure = Infrastructure(
    dms_engine="oracle",
    port=1521,
    rds=None,
    endpoint_settings=MappingProxyType(
        {
            # DMS would log the primary key alone: an update without the other columns is NULL in them (CHAP_Target.S3).
            # Their owner logs all columns of each table.
            "AddSupplementalLogging": False,
            "FailTasksOnLobTruncation": True,
        }
    ),
    # CHAP_Source.Oracle: LogMiner asks the database, Binary Reader reads the redo log's files; a change takes effect
    # when the task is started again.
    log_readers=MappingProxyType(
        {
            "logminer": MappingProxyType({"UseLogminerReader": True, "UseBFile": False}),
            "binary": MappingProxyType({"UseLogminerReader": False, "UseBFile": True}),
        }
    ),
    # CHAP_Security.SSL: Oracle's endpoints know none and verify-ca, with a wallet in place of a PEM file.
    ssl_modes=("verify-ca",),
    certificate_suffix=".sso",
    # CHAP_Task.CDC, "Performing replication starting from a CDC start point": a system change number.
    log_position=r"\d{1,20}",
    log_position_example="6000000",
    replicates_without_key=True,
)
