"""The command line as its users meet it. Scope: catchment.cli over the real core."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from catchment.cli.app import run
from tests.core.apply import applying as a

TABLES = """
landing: {timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}
tables:
  s.t: {key: [id]}
  s.never: {key: [id]}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a landing zone and a tables file; the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "tables.yaml").write_text(TABLES)
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"), a.load(2, v=None))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="ü"))
    return tmp_path


def apply(*more: str) -> int:
    return run(["apply", "landing", "lake", "--tables", "tables.yaml", *more])


def test_apply_prints_the_account_and_a_second_run_reads_nothing(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply() == 0
    shown = capsys.readouterr().out
    assert "s.t" in shown
    assert "no table" in shown
    assert apply("--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is True
    assert answer["total"]["read"] == 0
    assert [table["rows"] for table in answer["tables"]] == [2, None]


def test_files_of_tables_nobody_listed_are_said(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a.land(site, "LOAD00000001.parquet", a.load(1, v="a"))
    (site / "landing/other").mkdir()
    (site / "landing/s/t").rename(site / "landing/other/forgotten")
    assert apply() == 0
    assert "Not in the tables file: other.forgotten (2 files)" in capsys.readouterr().out
    assert apply("--json") == 0
    assert json.loads(capsys.readouterr().out)["unlisted"] == {"other.forgotten": 2}


def test_json_goes_to_a_file_beside_the_table(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert apply("--json", "account.json", "--table", "s.t") == 0
    assert "superseded" in capsys.readouterr().out
    [table] = json.loads((site / "account.json").read_text())["tables"]
    assert (table["read"], table["applied"], table["superseded"]) == (3, 2, 1)


def test_one_failed_table_stops_no_other_and_is_exit_code_1(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert apply() == 0
    a.land(site, "LOAD00000001.parquet", a.load(9, v="again"))
    other = site / "landing/s/never"
    other.mkdir()
    (site / "landing/s/t/20240809-100000000.parquet").rename(other / "20240809-100000000.parquet")
    capsys.readouterr()
    assert apply("--json") == 1
    captured = capsys.readouterr()
    first, second = json.loads(captured.out)["tables"]
    assert first["error"]["kind"] == "ReloadSeen"
    assert (second["error"], second["applied"]) == (None, 1)
    assert "written again" in captured.err


def test_a_reload_is_asked_for_and_swapped_in(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert apply("--table", "s.t") == 0
    assert run(["reload", "S.T", "--lake", "lake", "--clock-skew", "0", "--reason", "TRUNCATE"]) == 0
    assert "Load the tables again now" in capsys.readouterr().out
    assert apply("--table", "s.t") == 0
    assert "a reload was requested: its load files are not there yet" in capsys.readouterr().out
    a.land(site, "LOAD00000001.parquet", a.load(9, v="again"))
    assert apply("--table", "s.t", "--json") == 0
    [table] = json.loads(capsys.readouterr().out)["tables"]
    assert (table["generation"], table["inserted"], table["deleted"], table["waiting"]) == (1, 1, 2, "")


def test_a_reload_that_happened_already_is_swapped_in_by_its_moment(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply("--table", "s.t") == 0
    a.land(site, "LOAD00000001.parquet", a.load(9, v="again"))
    assert run(["reload", "s.t", "--lake", "lake", "--since", "2026-03-01T09:05:10"]) == 0
    assert apply("--table", "s.t") == 0
    assert "1 rows quarantined" not in capsys.readouterr().out
    assert a.rows(site) == [(9, "again")]


def test_spark_that_is_not_here_is_named_with_what_brings_it(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CATCHMENT_SPARK_PYTHON", "nowhere/python")
    assert apply("--engine", "spark") == 2
    error = capsys.readouterr().err
    assert "nowhere/python" in error
    assert "make setup-spark" in error
    assert not (site / "lake").exists()


def test_quarantined_rows_are_loud_but_no_failure(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "landing/s/t/20240809-110000000.parquet").write_bytes(b"PAR1 no more")
    assert apply() == 0
    shown = capsys.readouterr().out
    assert "1 rows quarantined" in shown
    found = list((site / "lake/_quarantine/s/t").iterdir())
    assert json.loads(found[0].read_text())["file"] == "s/t/20240809-110000000.parquet"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["apply", "landing", "lake", "--tables", "nowhere.yaml"], "nowhere.yaml"),
        (["apply", "nowhere", "lake", "--tables", "tables.yaml"], "nowhere"),
        (["apply", "landing", "lake", "--tables", "tables.yaml", "--table", "s.x"], "allowed are s.t, s.never"),
        (["apply", "ftp://x/y", "lake", "--tables", "tables.yaml"], "s3://bucket/prefix"),
        (["history", "s.x", "--lake", "lake"], "no tables yet"),
        (["reload", "s.x", "--lake", "lake"], "no tables yet"),
        (["reload", "s.x"], "name one of the two"),
        (["reload", "s.x", "--env", "dev", "--lake", "lake"], "name one of the two"),
        (["query", "select 1"], "make run"),
        (["nonsense"], "nonsense"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(
    site: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_query_answers_as_table_csv_and_json(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apply()
    last = site / ".catchment/last-run"
    last.mkdir(parents=True)
    (last / "lake.json").write_text(json.dumps({"lake": str(site / "lake")}))
    capsys.readouterr()
    assert run(["query", "select id, v from s.t order by id", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "id,v\n1,ü\n2,\n"
    assert run(["query", "select id, v from S.T order by id", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"id": 1, "v": "ü"}, {"id": 2, "v": None}]
    assert run(["query", "select count(*) as n from s.t"]) == 0
    assert "1 row" in capsys.readouterr().out
    assert run(["query", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "table,rows,version\ns.t,2,0\n"
    assert run(["query", "select * from s.u"]) == 1
    assert "Tables of this lake: s.t" in capsys.readouterr().err


def test_query_prints_values_python_does_not_have(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = (
        "select timestamptz '2024-01-01 12:00:00.5+02' a, date '0044-03-15 (BC)' b, timestamp '20000-01-01' c, "
        "1.10::decimal(4,2) d, 'nan'::double e, '\\x01ab'::blob f, null g, interval 1 day h, true i, 1 i"
    )
    apply()
    capsys.readouterr()
    assert run(["query", sql, "--lake", "lake", "--format", "csv"]) == 0
    expected = "2024-01-01 10:00:00.5+00,0044-03-15 (BC),20000-01-01 00:00:00,1.10,nan,016162,,1 day,true,1"
    assert capsys.readouterr().out.splitlines()[1] == expected
    assert run(["query", "set threads = 1", "--lake", "lake"]) == 0


def test_history_shows_each_commit(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apply()
    a.land(site, "20240809-110000000.parquet", a.delete(2, 1))
    apply()
    capsys.readouterr()
    assert run(["history", "s.t", "--lake", "lake", "--format", "json"]) == 0
    newest, oldest = json.loads(capsys.readouterr().out)
    assert (newest["version"], newest["watermark"], newest["deleted"]) == (1, "20240809110000000", 1)
    assert (oldest["files"], oldest["read"], oldest["superseded"]) == (2, 3, 1)
    assert run(["history", "--lake", "lake", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("s.t,1,")


def test_importing_the_command_line_is_cheap() -> None:
    code = "import sys, catchment.cli; print(sorted({'duckdb', 'deltalake', 'boto3', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_types_says_what_becomes_of_a_type_and_refuses_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["types", "mysql", "bigint unsigned", "--format", "csv"]) == 0
    [line] = csv.DictReader(capsys.readouterr().out.splitlines())
    assert (line["dms"], line["delta"], line["in MySQL"]) == ("UINT8", "decimal(20,0)", "DECIMAL(20,0)")
    assert run(["types", "sqlserver"]) == 0
    assert "uniqueidentifier" in capsys.readouterr().out
    assert run(["types", "sqlserver", "int", "sql_variant"]) == 1
    assert "sql_variant" in capsys.readouterr().err
    assert run(["types", "db2"]) == 2
    assert "postgresql, mysql, mariadb, sqlserver, oracle" in capsys.readouterr().err
