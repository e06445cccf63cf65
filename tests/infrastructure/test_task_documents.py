"""The two documents that a task is told, and what settings make of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catchment.settings.loading import ParallelLoad, position_misfit
from catchment_constructs.dms_mappings import DmsTable, LoadByPartition, LoadByRange, table_mappings
from catchment_constructs.dms_task_settings import LobPolicy, task_settings
from local.dms.settings import task_settings as filled_in
from local.dms.settings_tables import TASK

SHOWN_BY_DMS = {
    "Logging",
    "StreamBufferSettings",
    "ErrorBehavior",
    "TTSettings",
    "FullLoadSettings",
    "TargetMetadata",
    "BeforeImageSettings",
    "ControlTablesSettings",
    "LoopbackPreventionSettings",
    "CharacterSetSettings",
    "FailTaskWhenCleanTaskResourceFailed",
    "ChangeProcessingTuning",
    "ChangeProcessingDdlHandlingPolicy",
    "PostProcessingRules",
}
NOT_SHOWN = {"CommitPositionTableEnabled"}
"""Of relational targets; DMS leaves it out unless somebody sets it."""


def _own_rule(table: DmsTable) -> dict[str, Any]:
    tables = [DmsTable(schema="a", name="x_y"), table]
    rules = json.loads(table_mappings(tables, sequence_column="seq", before_image_prefix="B_"))["rules"]
    assert len({rule["rule-id"] for rule in rules}) == len(rules) == len({rule["rule-name"] for rule in rules})
    (own,) = [rule for rule in rules if rule["rule-type"] == "table-settings"]
    assert own["object-locator"] == {"schema-name": table.schema, "table-name": table.name}
    return own


def test_nothing_is_left_for_dms_to_fill_in() -> None:
    said = json.loads(task_settings(lobs=LobPolicy("limited", 64), parallel_tables=8))
    assert set(said) == SHOWN_BY_DMS
    for section, known in TASK.items():
        if section in said:
            assert set(said[section]) == set(known) - NOT_SHOWN, section
    filled = filled_in(json.dumps(said))
    assert {name: {**filled[name], **said[name]} for name in TASK if name in said} == {
        name: filled[name] for name in TASK if name in said
    }


@pytest.mark.parametrize(
    ("policy", "task", "table"),
    [
        (LobPolicy("limited", 64), (False, True, 64, 0), {"mode": "limited", "bulk-max-size": "64"}),
        (LobPolicy("inline", 32), (True, False, 0, 32), {"mode": "unlimited", "bulk-max-size": "32"}),
        (LobPolicy("full", 64), (True, False, 0, 0), {"mode": "unlimited", "bulk-max-size": "0"}),
    ],
)
def test_large_values_are_cut_carried_or_looked_up(policy: LobPolicy, task: Any, table: dict[str, str]) -> None:
    metadata = json.loads(task_settings(lobs=policy, parallel_tables=8))["TargetMetadata"]
    names = ("FullLobMode", "LimitedSizeLobMode", "LobMaxSize", "InlineLobMaxSize")
    assert tuple(metadata[name] for name in names) == task
    assert _own_rule(DmsTable(schema="a", name="large", lobs=policy))["lob-settings"] == table


@pytest.mark.parametrize(
    ("load", "rule"),
    [
        (LoadByPartition(), {"type": "partitions-auto"}),
        (LoadByPartition(["p1", "p2"]), {"type": "partitions-list", "partitions": ["p1", "p2"]}),
        (
            LoadByRange(["a", "b"], [["1", "x"], ["2", "y"]]),
            {"type": "ranges", "columns": ["a", "b"], "boundaries": [["1", "x"], ["2", "y"]]},
        ),
    ],
)
def test_a_table_is_loaded_in_parts(load: Any, rule: dict[str, Any]) -> None:
    own = _own_rule(DmsTable(schema="a", name="large", parallel_load=load))
    assert own["parallel-load"] == rule
    assert "lob-settings" not in own


@pytest.mark.parametrize(
    ("columns", "boundaries"),
    [([], [["1"]]), (["a"], []), (["a"], [["1", "2"]]), ([*"abcdefghijk"], [[*"12345678901"]])],
)
def test_ranges_that_do_not_fit_are_refused(columns: list[str], boundaries: list[list[str]]) -> None:
    with pytest.raises(ValueError, match=r"columns|boundaries"):
        LoadByRange(columns, boundaries)


@pytest.mark.parametrize(
    ("engine", "load", "allowed"),
    [
        ("mysql", ParallelLoad(columns=("id",), boundaries=(("9",),)), None),
        ("postgresql", ParallelLoad(columns=("id", "n"), boundaries=(("9", "1"),)), None),
        ("sqlserver", ParallelLoad(partitions=()), None),
        ("postgresql", ParallelLoad(partitions=("p1",)), "does not load partitions of postgresql"),
        ("mysql", ParallelLoad(columns=("day",), boundaries=(("9",),)), "begin the table's key"),
        ("mysql", ParallelLoad(columns=("n", "id"), boundaries=(("9", "1"),)), "begin the table's key"),
    ],
)
def test_parts_hold_every_row(engine: str, load: ParallelLoad, allowed: str | None) -> None:
    misfit = load.misfit(engine, ("id", "n"))
    assert (misfit is None) if allowed is None else (misfit is not None and allowed in misfit)


@pytest.mark.parametrize(
    ("engine", "position", "slot", "fits"),
    [
        ("postgresql", "4AF/B00000D0", "mine", True),
        ("postgresql", "checkpoint:V1#1#4AF/B0", "mine", True),
        ("postgresql", "4AF/B00000D0", None, False),
        ("postgresql", "2026-03-08T12:12:12", "mine", False),
        ("mysql", "mysql-bin-changelog.000024:373", None, True),
        ("mysql", "2026-03-08T12:12:12", None, True),
        ("mysql", "2026-03-08", None, False),
        ("mysql", "4AF/B00000D0", None, False),
        ("sqlserver", "0000007c:0000029b:0003", None, True),
        ("sqlserver", "checkpoint:", None, False),
    ],
)
def test_a_position_has_the_form_of_its_engine(engine: str, position: str, slot: str | None, fits: bool) -> None:
    assert (position_misfit(engine, position, slot) is None) is fits
