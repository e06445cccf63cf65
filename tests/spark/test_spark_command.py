"""``catchment apply --engine spark``. Scope: the command, and the script in a process of its own on real Spark."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from catchment.cli.app import run
from tests.core.apply import applying as a

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TABLES = """
landing: {timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}
tables: {s.t: {key: [id]}}
"""


def test_the_command_shows_what_the_script_did_and_why_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CATCHMENT_SPARK_PYTHON", sys.executable)
    Path("tables.yaml").write_text(TABLES)
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"), a.load(2, v=None))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="ü"))
    command = ["apply", "landing", "lake", "--tables", "tables.yaml", "--engine", "spark", "--json"]
    assert run(command) == 0
    [table] = json.loads(capfd.readouterr().out)["tables"]
    assert (table["read"], table["applied"], table["superseded"], table["rows"]) == (3, 2, 1, 2)
    assert a.rows(tmp_path) == [(1, "ü"), (2, None)]

    a.land(tmp_path, "LOAD00000001.parquet", a.load(9, v="again"))
    assert run(command) == 1
    said = capfd.readouterr()
    [table] = json.loads(said.out)["tables"]
    assert table["error"]["kind"] == "ReloadSeen"
    assert "written again" in said.err
