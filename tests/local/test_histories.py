"""Scope: a run of engines without a server: their histories, applied and compared, with the report of any run."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from local.folder import run_folder
from local.progress import Progress
from local.run import Options, run


def test_written_histories_are_applied_and_equal_their_source(tmp_path: Path) -> None:
    options = Options(0, 1, 0, 7, chaos=False, engines=("sqlserver", "oracle"))
    with run_folder(tmp_path) as folder:
        report = run(options, folder, Progress(Console(file=io.StringIO())))
    assert report.equal
    assert report.sources == ("sqlserver", "oracle")
    orders = next(table for table in report.tables if table.table == "SALES.ORDERS")
    assert orders.updates > 0
    assert orders.key_changes > 0
    assert orders.account.stale > 0, "what is delivered again is read again"
    lake = Path(json.loads((tmp_path / "last-run/lake.json").read_text())["lake"])
    assert (lake / "dbo/orders/_delta_log").is_dir()
    assert (tmp_path / "last-run/histories/oracle/lake/SALES/ORDERS/_delta_log").is_dir()
