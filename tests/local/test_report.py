"""What a run says at its end: equal only if it is, and where it is not, which value on which side."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from local.report import Account, Difference, ReplicaReport, RunReport, TableReport, show

GOOD = TableReport(
    source="sales",
    table="sales.clients",
    rows_source=2,
    rows_lake=2,
    inserts=1,
    updates=1,
    deletes=0,
    key_changes=0,
    account=Account(read=4, applied=2, superseded=1, stale=1),
    files=2,
    commits=2,
    lag=None,
    missing=0,
    extra=0,
    different=0,
)
BAD = replace(
    GOOD, table="sales.sales", different=1, differences=(Difference("id='7'", "total", "1.00", "1.01"),), missing=2
)


def report(*tables: TableReport) -> RunReport:
    return RunReport(tables, 2, 1.0, {}, 1.0, None, {}, 3.0, 100)


def printed(found: RunReport) -> str:
    console = Console(width=100, record=True, file=io.StringIO())
    show(found, console)
    return console.export_text()


def test_equal_tables_are_said_to_be_equal() -> None:
    assert report(GOOD).equal
    assert "The lake equals the source: 2 rows in 1 tables" in printed(report(GOOD))


def test_a_difference_names_key_column_and_both_values() -> None:
    text = printed(report(GOOD, BAD))
    assert not report(GOOD, BAD).equal
    assert "sales.sales id='7' total: source '1.00', lake '1.01'" in text
    assert "2 missing, 1 different" in text
    assert "differs from the source in sales.sales" in text


def test_an_account_that_does_not_add_up_is_no_success() -> None:
    lost = replace(GOOD, account=Account(read=5, applied=2, superseded=1, stale=1))
    assert not report(lost).equal
    assert "account does not add up" in printed(report(lost))


def test_what_the_spark_job_applied_is_told() -> None:
    assert "Spark" not in printed(report(GOOD))
    told = printed(replace(report(GOOD), spark={"sales.clients": 2}))
    assert "Applied by the Spark job: sales.clients in 2 runs." in told
    assert "Applied by the Spark job: nothing." in printed(replace(report(GOOD), spark={}))


def test_names_with_brackets_are_no_markup() -> None:
    assert "odd[red]name" in printed(report(replace(GOOD, table="odd[red]name")))


def test_the_report_for_machines_has_the_verdicts(tmp_path: Path) -> None:
    report(GOOD, BAD).write_json(tmp_path / "report.json")
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["equal"] is False
    assert [table["equal"] for table in found["tables"]] == [True, False]
    assert found["tables"][1]["differences"] == [{"key": "id='7'", "column": "total", "source": "1.00", "lake": "1.01"}]


def test_tables_of_several_sources_are_told_apart() -> None:
    text = printed(report(GOOD, replace(BAD, source="shop")))
    assert "sales: sales.clients" in text
    assert "shop: sales.sales id='7' total" in text
    assert "The lake differs from the sources in shop: sales.sales." in text


def test_a_replica_has_a_column_and_its_differences_count() -> None:
    same = ReplicaReport(rows=2, missing=0, extra=0, different=0)
    wrong = replace(same, different=1, differences=(Difference("id='7'", "name", "a", "A"),))
    text = printed(report(replace(GOOD, replica=same)))
    assert "replica" in text.splitlines()[0]
    assert "The lake and the replica equal the source: 2 rows" in text
    text = printed(report(replace(GOOD, replica=wrong)))
    assert "1 different (replica)" in text
    assert "sales.clients id='7' name: source 'a', replica 'A'" in text
    assert "The lake or the replica differs from the source in sales.clients." in text
    assert "replica" not in printed(report(GOOD))
