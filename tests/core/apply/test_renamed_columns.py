"""A column that was renamed at the source: told apart from a drop and an add by configuration only.

Scope: catchment.apply on real files and Delta tables.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from catchment.errors import SchemaConflict
from tests.conformance.files import write_csv
from tests.conformance.model import File
from tests.core.apply import applying as a

NAMED = replace(a.contract(), renamed={"v": "w"})


def landed(root: Path) -> None:
    """A table of id and v, then a change after the renaming of v to w."""
    a.land(root, "LOAD00000001.parquet", a.load(1, v="a"), a.load(2, v="b"))
    a.run(root)
    a.land(root, "20240809-100000000.parquet", a.update(1, 1, w="c"), columns=("id", "w"))


def test_without_configuration_it_is_a_drop_and_an_add_and_is_said_so(tmp_path: Path) -> None:
    landed(tmp_path)
    account = a.run(tmp_path)
    assert "renamed: {v: w}" in account.notes[0]
    assert a.rows(tmp_path, "id", "v", "w") == [(1, "a", "c"), (2, "b", None)]


def test_with_configuration_values_go_on_under_the_new_name(tmp_path: Path) -> None:
    landed(tmp_path)
    account = a.run(tmp_path, NAMED)
    assert account.notes == ["column 'v' is called 'w' from now on"]
    assert [field.name for field in a.table(tmp_path).schema().fields] == ["id", "w", "_catchment_seq"]
    assert a.rows(tmp_path, "id", "w") == [(1, "c"), (2, "b")]
    assert a.run(tmp_path, NAMED).commits == 0


def test_a_late_file_from_before_the_renaming_is_read_by_the_new_name(tmp_path: Path) -> None:
    landed(tmp_path)
    a.run(tmp_path, NAMED)
    a.land(tmp_path, "20240809-090000000.parquet", a.update(0, 2, v="late"), a.update(0, 1, v="older"))
    account = a.run(tmp_path, NAMED)
    assert account.late == 1
    assert a.rows(tmp_path, "id", "w") == [(1, "c"), (2, "late")]


def test_a_renamed_part_of_the_key_keeps_rows_and_before_images(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"), a.load(2, v="b"))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 3, 1, v="moved"))
    a.run(tmp_path)
    renamed = replace(a.contract("[number]"), renamed={"id": "number"})
    a.land(tmp_path, "20240809-110000000.parquet", a.update(2, 4, 3, v="moved again"))
    a.run(tmp_path, renamed)
    assert a.rows(tmp_path, "number", "v") == [(2, "b"), (4, "moved again")]


def test_both_names_in_the_table_are_a_conflict_that_says_what_to_do(tmp_path: Path) -> None:
    landed(tmp_path)
    a.run(tmp_path)
    with pytest.raises(SchemaConflict, match="reload the table"):
        a.run(tmp_path, NAMED)


def test_the_renaming_is_one_commit_with_the_ledger_untouched(tmp_path: Path) -> None:
    landed(tmp_path)
    a.run(tmp_path, NAMED)
    history = {entry["version"]: entry for entry in a.table(tmp_path).history()}
    assert json.loads(history[1]["catchment"])["files"] == []
    assert history[1]["operation"] == "RENAME COLUMN"
    assert history[2]["operation"] == "WRITE"


def test_csv_without_header_takes_the_declared_names(tmp_path: Path) -> None:
    form = "{format: csv, timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}"
    before = a.contract(landing=form, columns="{id: int, v: string}")
    after = replace(a.contract(landing=form, columns="{id: int, w: string}"), renamed={"v": "w"})
    for path, record in (("LOAD00000001.csv", a.load(1, v="a")), ("20240809-100000000.csv", a.update(1, 2, v="b"))):
        write_csv(tmp_path / "landing", File(f"s/t/{path}", ("id", "v"), (record,)), ("id",))
        a.run(tmp_path, before if path.startswith("LOAD") else after)
    assert a.rows(tmp_path, "id", "w") == [(1, "a"), (2, "b")]
