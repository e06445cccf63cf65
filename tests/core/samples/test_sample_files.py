"""Scope: sample files: what they hold is what the systems hold, and readers take them."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from catchment.cli.app import run
from catchment.samples.commerce import commerce
from catchment.samples.files import sample_files
from catchment.samples.people import people

COUNTS = {**commerce.row_counts(500), **people.row_counts(500)}
NOTES = "count(*) FILTER (notes = ''), count(*) FILTER (notes IS NULL), count(*) FILTER (contains(notes, chr(10)))"


def asked(folder: Path, table: str, what: str) -> list[Any]:
    """The answers over the CSV and the JSON of a table."""
    csv = f"read_csv('{folder}/csv/{table}.csv', header=true, all_varchar=true, nullstr='', allow_quoted_nulls=false)"
    json = f"read_json('{folder}/json/{table}.jsonl', format='newline_delimited')"
    return [duckdb.sql(f"SELECT {what} FROM {relation}").fetchall() for relation in (csv, json)]


def test_the_same_seed_makes_the_same_files_and_another_one_others() -> None:
    one, same, other = (dict(sample_files(100, seed)) for seed in (7, 7, 8))
    assert one == same
    assert all(one[name] != other[name] for name in one)


def test_readers_take_both_forms_and_find_the_same_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["samples", str(tmp_path), "--rows", "500"]) == 0
    assert "csv/clients.csv" in capsys.readouterr().out
    for table, count in COUNTS.items():
        assert asked(tmp_path, table, "count(*)") == [[(count,)]] * 2
    [[of_csv], [of_json]] = asked(tmp_path, "clients", NOTES)
    assert of_csv == of_json
    assert all(of_csv), "each case is there"
