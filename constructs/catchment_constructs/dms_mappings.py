"""The table mappings of a DMS task: which tables, loaded how, with which added columns.

Source: AWS DMS User Guide, CHAP_Tasks.CustomizingTasks.TableMapping.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from catchment_constructs.dms_task_settings import LobPolicy

FIRST_TRANSFORMATION = 100_000
FIRST_TABLE_SETTING = 200_000
MOST_RANGE_COLUMNS = 10


class ParallelLoad(Protocol):
    """How a table is loaded in parts at the same time, each by a subtask of its own."""

    def rule(self) -> dict[str, Any]:
        """The ``parallel-load`` of a table-settings rule."""


@dataclass(frozen=True)
class LoadByPartition:
    """Each partition of the table is a part: all of them, or those that are ``named`` alone. Not from PostgreSQL."""

    named: Sequence[str] = ()

    def rule(self) -> dict[str, Any]:
        """See ParallelLoad."""
        if not self.named:
            return {"type": "partitions-auto"}
        return {"type": "partitions-list", "partitions": list(self.named)}


@dataclass(frozen=True)
class LoadByRange:
    """Parts end below each of ``boundaries``, lowest first, and one more takes the rest.

    A boundary has a value for each of ``columns``, as text. **Rows with NULL in one of these columns are not loaded**:
    take columns that cannot be, best the first of the key. Raises ValueError for boundaries that do not fit.
    """

    columns: Sequence[str]
    boundaries: Sequence[Sequence[str]]

    def __post_init__(self) -> None:
        if not 1 <= len(self.columns) <= MOST_RANGE_COLUMNS:
            raise ValueError(f"columns {list(self.columns)}: 1 to {MOST_RANGE_COLUMNS}")
        if not self.boundaries or any(len(boundary) != len(self.columns) for boundary in self.boundaries):
            raise ValueError(f"boundaries {self.boundaries}: at least one, each with a value for {list(self.columns)}")

    def rule(self) -> dict[str, Any]:
        """See ParallelLoad."""
        boundaries = [list(boundary) for boundary in self.boundaries]
        return {"type": "ranges", "columns": list(self.columns), "boundaries": boundaries}


@dataclass(frozen=True, kw_only=True)
class DmsTable:
    """A table to replicate, named exactly as in the source."""

    schema: str
    name: str
    lobs: LobPolicy | None = None
    """Overrides the task's policy for large values."""
    parallel_load: ParallelLoad | None = None
    """Left out: one subtask loads the whole table."""


def table_mappings(tables: Sequence[DmsTable], *, sequence_column: str, before_image_prefix: str) -> str:
    """The TableMappings of a task, as JSON: one explicit rule a table, never a pattern.

    An ``include`` rule takes ``_`` for any character, so that ``order_items`` matches ``orderXitems`` too.
    The change sequence and the key before an update are added to every table.
    """
    numbered = list(enumerate(tables, start=1))
    selected = [_selection(number, table) for number, table in numbered]
    own = [_table_setting(number, table) for number, table in numbered if table.lobs or table.parallel_load]
    added = column_rules(sequence_column=sequence_column, before_image_prefix=before_image_prefix)
    return json.dumps({"rules": [*selected, *added, *own]}, separators=(",", ":"))


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


def _table_setting(number: int, table: DmsTable) -> dict[str, Any]:
    return {
        "rule-type": "table-settings",
        "rule-id": str(FIRST_TABLE_SETTING + number),
        "rule-name": f"own-settings-{number}",
        "object-locator": {"schema-name": table.schema, "table-name": table.name},
        **({"parallel-load": table.parallel_load.rule()} if table.parallel_load else {}),
        **({"lob-settings": table.lobs.of_table()} if table.lobs else {}),
    }
