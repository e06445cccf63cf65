"""The JSON that a DMS task is told: which tables, with which added columns, under which rules for trouble.

Sources: AWS DMS User Guide, CHAP_Tasks.CustomizingTasks.TableMapping and CHAP_Tasks.CustomizingTasks.TaskSettings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FIRST_TRANSFORMATION = 100_000
FIRST_TABLE_SETTING = 200_000


@dataclass(frozen=True, kw_only=True)
class DmsTable:
    """A table to replicate, named exactly as in the source."""

    schema: str
    name: str
    lob_max_kb: int | None = None
    """Overrides the task's size limit of large values."""


def table_mappings(tables: Sequence[DmsTable], *, sequence_column: str, before_image_prefix: str) -> str:
    """The TableMappings of a task, as JSON: one explicit rule a table, never a pattern.

    An ``include`` rule takes ``_`` for any character, so that ``order_items`` matches ``orderXitems`` too.
    The change sequence and the key before an update are added to every table.
    """
    selected = [_selection(number, table) for number, table in enumerate(tables, start=1)]
    sizes = [
        _lob_setting(FIRST_TABLE_SETTING + number, table, table.lob_max_kb)
        for number, table in enumerate(tables, start=1)
        if table.lob_max_kb is not None
    ]
    added = column_rules(sequence_column=sequence_column, before_image_prefix=before_image_prefix)
    return json.dumps({"rules": [*selected, *added, *sizes]}, separators=(",", ":"))


def column_rules(*, sequence_column: str, before_image_prefix: str) -> list[dict[str, Any]]:
    """The rules that add columns to every table."""
    return [_sequence(sequence_column), _before_image(before_image_prefix)]


def _selection(number: int, table: DmsTable) -> dict[str, Any]:
    return {
        "rule-type": "selection",
        "rule-id": str(number),
        "rule-name": f"table-{number}",
        "rule-action": "explicit",
        "object-locator": {"schema-name": table.schema, "table-name": table.name},
        "filters": [],
    }


def _sequence(column: str) -> dict[str, Any]:
    return {
        "rule-type": "transformation",
        "rule-id": str(FIRST_TRANSFORMATION),
        "rule-name": "change-sequence",
        "rule-target": "column",
        "object-locator": {"schema-name": "%", "table-name": "%"},
        "rule-action": "add-column",
        "value": column,
        "expression": "$AR_H_CHANGE_SEQ",
        "data-type": {"type": "string", "length": 50},
    }


def _before_image(prefix: str) -> dict[str, Any]:
    return {
        "rule-type": "transformation",
        "rule-id": str(FIRST_TRANSFORMATION + 1),
        "rule-name": "key-before-image",
        "rule-target": "column",
        "object-locator": {"schema-name": "%", "table-name": "%"},
        "rule-action": "add-before-image-columns",
        "before-image-def": {"column-prefix": prefix, "column-suffix": "", "column-filter": "pk-only"},
    }


def _lob_setting(number: int, table: DmsTable, size_kb: int) -> dict[str, Any]:
    return {
        "rule-type": "table-settings",
        "rule-id": str(number),
        "rule-name": f"large-values-{number}",
        "object-locator": {"schema-name": table.schema, "table-name": table.name},
        "lob-settings": {"mode": "limited", "bulk-max-size": str(size_kb)},
    }


def task_settings(*, lob_max_kb: int, parallel_tables: int) -> str:
    """The ReplicationTaskSettings of a task, as JSON.

    Whatever DMS would drop or cut silently suspends the table instead; a TRUNCATE or DROP never deletes landed files.
    Log group and stream are left out: DMS sets them, and refuses them on update.
    """
    settings = {
        "TargetMetadata": {
            "SupportLobs": True,
            "FullLobMode": False,
            "LimitedSizeLobMode": True,
            "LobMaxSize": lob_max_kb,
            "BatchApplyEnabled": False,
        },
        "FullLoadSettings": {
            "TargetTablePrepMode": "DO_NOTHING",
            "MaxFullLoadSubTasks": parallel_tables,
            "CommitRate": 50_000,
            "TransactionConsistencyTimeout": 600,
        },
        "ChangeProcessingDdlHandlingPolicy": {
            "HandleSourceTableDropped": False,
            "HandleSourceTableTruncated": False,
            "HandleSourceTableAltered": True,
        },
        "ErrorBehavior": {
            "DataErrorPolicy": "SUSPEND_TABLE",
            "DataTruncationErrorPolicy": "SUSPEND_TABLE",
            "TableErrorPolicy": "SUSPEND_TABLE",
            "ApplyErrorFailOnTruncationDdl": True,
            "FailOnNoTablesCaptured": True,
            "RecoverableErrorCount": -1,
        },
        "ChangeProcessingTuning": {"MemoryLimitTotal": 1024, "MemoryKeepTime": 60},
        "Logging": {"EnableLogging": True},
    }
    return json.dumps(settings, separators=(",", ":"))
