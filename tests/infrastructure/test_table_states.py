"""What is told of sources from outside: tables that DMS has suspended, tasks that stand, tables that are late.

Scope: lambda_src.table_states in process, against an HTTP server that answers as DMS, SSM and S3 do; folders as zones.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

TASK = "arn:aws:dms:eu-central-1:123456789012:task:SALES"
SERVERLESS = "arn:aws:dms:eu-central-1:123456789012:replication-config:SALES"


CONTRACTS = {
    "sales": {"tables": {"s.t0_0": {}, "s.t1_0": {}}},
    "crm": {"tables": {"s.people": {}}},
}


class Aws(BaseHTTPRequestHandler):
    """One source with a task of three pages of tables, one without."""

    task = TASK
    status = "running"
    pages = (["Table completed", "Table error"], ["Full load"], ["Table is being reloaded", "Table does not exist"])

    def do_GET(self) -> None:
        self._answer(200, CONTRACTS)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(*getattr(self, self.headers["X-Amz-Target"].rpartition(".")[2])(asked))

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def GetParameter(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if asked["Name"] == "/catchment/dev/sales/task-arn":
            return 200, {"Parameter": {"Name": asked["Name"], "Value": self.task}}
        return 400, {"__type": "ParameterNotFound", "message": asked["Name"]}

    def DescribeTableStatistics(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert asked["ReplicationTaskArn"] == TASK
        page = int(asked.get("Marker", "0"))
        tables = [
            {"SchemaName": "s", "TableName": f"t{page}_{i}", "TableState": state, "FullLoadRows": 7}
            for i, state in enumerate(self.pages[page])
        ]
        more = {"Marker": str(page + 1)} if page + 1 < len(self.pages) else {}
        return 200, {"ReplicationTaskArn": TASK, "TableStatistics": tables, **more}

    def DescribeReplicationTasks(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert asked["Filters"] == [{"Name": "replication-task-arn", "Values": [TASK]}]
        return 200, {"ReplicationTasks": [{"ReplicationTaskArn": TASK, "Status": self.status}]}

    def DescribeReplicationTableStatistics(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert asked["ReplicationConfigArn"] == SERVERLESS
        if self.status == "created":
            return 400, {"__type": "InvalidResourceStateFault", "message": "never started"}
        lines = [{"SchemaName": "s", "TableName": "t0_0", "TableState": "Table error"}]
        return 200, {"ReplicationConfigArn": SERVERLESS, "ReplicationTableStatistics": lines}

    def DescribeReplications(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert asked["Filters"] == [{"Name": "replication-config-arn", "Values": [SERVERLESS]}]
        return 200, {"Replications": [{"ReplicationConfigArn": SERVERLESS, "Status": self.status}]}

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    server = HTTPServer(("127.0.0.1", 0), Aws)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    for name, value in {
        "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "eu-central-1", "CONTRACTS_URL": "s3://contracts/contracts.json",
        "METRIC_NAMESPACE": "Catchment", "TASKS_PREFIX": "/catchment/dev",
        "LANDING_URL": str(tmp_path / "landing"), "SILVER_URL": str(tmp_path / "silver"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials it was made with
    from lambda_src.table_states import handler

    handler.contracts.cache_clear()
    yield handler.handler
    server.shutdown()
    thread.join()
    server.server_close()


def _land(root: Path, path: str) -> None:
    file = root / "landing" / path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")


def _written(text: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """The metrics by the values of their dimensions."""
    found: dict[tuple[str, ...], dict[str, Any]] = defaultdict(dict)
    for line in map(json.loads, text.splitlines()):
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "Catchment"
        [names] = directive["Dimensions"]
        found[tuple(line[name] for name in names)] |= {
            each["Name"]: line[each["Name"]][0] for each in directive["Metrics"]
        }
    return found


def test_sources_and_tables_are_measured_and_those_in_error_named(
    handler: Callable[..., Any], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    _land(tmp_path, "sales/s/t0_0/2024/08/09/20240809-120000000.parquet")
    _land(tmp_path, "sales/s/t1_0/LOAD00000001.parquet")

    assert handler({}, None) == {
        "sales": {"TaskRunning": 1, "TablesInError": 2, "TablesLoading": 2, "Tables": 5, "FilesWaiting": 1},
        "crm": {"FilesWaiting": 0},
    }
    found = _written(capsys.readouterr().out)
    assert found["sales",]["TablesInError"] == 2
    assert found["sales", "s.t0_0"]["LagSeconds"] > 24 * 3600
    assert found["sales", "s.t1_0"] == {"FullLoadRows": 7, "LagSeconds": 0}, "its load goes on"
    assert found["crm", "s.people"] == {"LagSeconds": 0}
    assert [record.getMessage() for record in caplog.records] == [
        "sales: s.t0_1: Table error",
        "sales: s.t2_1: Table does not exist",
    ]


def test_a_task_that_stands_is_told(handler: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Aws, "status", "failed")
    assert handler({}, None)["sales"]["TaskRunning"] == 0


@pytest.mark.parametrize(("status", "running", "tables"), [("running", 1, 1), ("created", 0, 0)])
def test_a_serverless_replication_is_looked_at_too(
    handler: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, status: str, running: int, tables: int
) -> None:
    monkeypatch.setattr(Aws, "task", SERVERLESS)
    monkeypatch.setattr(Aws, "status", status)
    found = handler({}, None)["sales"]
    assert (found["TaskRunning"], found["TablesInError"], found["Tables"]) == (running, tables, tables)


def test_a_table_that_cannot_be_looked_at_fails_the_call_after_the_others(
    handler: Callable[..., Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "silver/sales/s/t0_0/_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("no json")

    with pytest.raises(Exception, match=r"sales s\.t0_0") as raised:
        handler({}, None)
    assert type(raised.value).__name__ == "TablesUnseen"
    assert {("sales", "s.t1_0"), ("crm", "s.people")} <= _written(capsys.readouterr().out).keys()
