"""What the settings want a source for."""

from __future__ import annotations

from catchment.engines.readiness import Wanted, WantedTable
from catchment.settings import Settings, SourceSettings


def wanted_of(settings: Settings, name: str) -> Wanted:
    """What an environment's source is wanted for. Raises KeyError for a name that the settings do not have."""
    source = settings.sources[name]
    serverless = settings.replication.serverless is not None
    return Wanted(
        tables=_tables(source),
        lob_max_kb=source.lob_max_kb,
        outage_hours=source.outage_hours,
        follows=source.migration != "full-load",
        # what is serverless has the newest version of DMS
        dms_version=None if serverless else settings.replication.engine_version,
        log_reader=source.log_reader,
        storage_bytes=source.rds.storage_gb * 2**30 if source.rds is not None else None,
        slot=source.slot_name,
    )


def _tables(source: SourceSettings) -> list[WantedTable]:
    return [
        WantedTable(schema=schema, name=table, key=list(each.key), lob_max_kb=each.lob_max_kb, full_rows=each.full_rows)
        for (schema, _, table), each in ((name.partition("."), each) for name, each in source.tables.items())
    ]
