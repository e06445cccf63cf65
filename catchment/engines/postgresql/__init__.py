"""PostgreSQL as a source."""

from __future__ import annotations

from types import MappingProxyType

from catchment.engines.base import Capture, Feeding, Infrastructure, Rds
from catchment.engines.postgresql import clients, preflight, preparation, reconciliation, samples, types, upkeep
from catchment.engines.postgresql.connect import connect
from catchment.engines.postgresql.versions import least_dms_version

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

capture = Capture(whole_deletes=False)

replica = Feeding(scheme="postgresql", parameters=MappingProxyType({"rds.force_ssl": "1"}))

infrastructure = Infrastructure(
    dms_engine="postgres",
    port=5432,
    rds=Rds(
        engine="postgres",
        engine_version="18.4",
        major_version=lambda version: version.split(".")[0],
        least_dms_version=least_dms_version,
        parameters=MappingProxyType(
            {
                # Static: takes effect when the instance starts (AWS DMS User Guide, CHAP_Source.PostgreSQL).
                "rds.logical_replication": "1",
                "max_replication_slots": "20",
                "max_wal_senders": "20",
                # 0, or 10 to 300 seconds; a shorter one cuts the task's stream while it writes a large file.
                "wal_sender_timeout": "300000",
                "rds.force_ssl": "1",
            }
        ),
        log_exports=("postgresql", "upgrade"),
    ),
    endpoint_settings=MappingProxyType(
        {
            # test_decoding hands over old values under REPLICA IDENTITY FULL; pglogical does not.
            "PluginName": "test-decoding",
            "CaptureDdls": True,
            # A slot of an idle database pins the write-ahead log of every other database on the instance.
            "HeartbeatEnable": True,
            "HeartbeatFrequency": 5,
            "FailTasksOnLobTruncation": True,
        }
    ),
    log_position=r"[0-9A-F]{1,8}/[0-9A-F]{1,8}",
    log_position_example="4AF/B00000D0",
    # CHAP_Tasks.CustomizingTasks.TableMapping, "Table settings": PostgreSQL is loaded in ranges only.
    loads_by_partition=False,
    ssl_modes=("require", "verify-ca", "verify-full"),
    names_slot=True,
    cleans_up=True,
)
