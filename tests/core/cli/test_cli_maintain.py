"""``catchment maintain`` as its users meet it. Scope: catchment.cli over the real core."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catchment.cli.app import run
from tests.core.apply import applying as a

TABLES = """
landing: {timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}
deletion_vectors: true
tables:
  s.t: {key: [id]}
  s.never: {key: [id]}
"""
ROWS = 30_000


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table whose file has every tenth row masked; the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tables.yaml").write_text(TABLES)
    a.land(tmp_path, "LOAD00000001.parquet", *(a.load(key, v="a") for key in range(ROWS)))
    assert run(["apply", "landing", "lake", "--tables", "tables.yaml"]) == 0
    a.land(tmp_path, "20240809-100000000.parquet", *(a.delete(key, key) for key in range(0, ROWS, 10)))
    assert run(["apply", "landing", "lake", "--tables", "tables.yaml"]) == 0
    return tmp_path


def maintain(*more: str) -> int:
    return run(["maintain", "lake", "--tables", "tables.yaml", *more])


def test_a_dry_run_then_the_work_then_nothing(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert maintain("--dry-run") == 0
    shown = capsys.readouterr().out
    assert "10% of the file is masked" in shown
    assert "no table yet" in shown
    assert maintain("--json") == 0
    answer = json.loads(capsys.readouterr().out)
    [step] = answer["tables"][0]["steps"]
    assert (step["kind"], step["files"], step["into"], step["rows"]) == ("purge", 1, 1, ROWS * 9 // 10)
    assert maintain() == 0
    assert "in good order" in capsys.readouterr().out


def test_horizons_that_could_lose_something_are_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert maintain("--file-days", "0") == 2
    assert "file_days has to be at least 1" in capsys.readouterr().err


def test_a_table_that_fails_does_not_keep_the_others_from_theirs(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a.table(site).delete("id = 1")
    assert maintain("--json") == 1
    said = capsys.readouterr()
    first, second = json.loads(said.out)["tables"]
    assert (first["error"]["kind"], second["error"]) == ("ForeignWriter", None)
    assert "was not written by Catchment" in said.err
