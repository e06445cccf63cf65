"""What is told of tables that DMS has suspended: by the handler, and by the alarm on what it writes.

Scope: lambda_src.table_states in process, against an HTTP server that answers as DMS and SSM do; the template's alarm.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.infrastructure.assembly import Assembly

TASK = "arn:aws:dms:eu-central-1:123456789012:task:SALES"


class Aws(BaseHTTPRequestHandler):
    """One source with a task of three pages of tables, one without."""

    pages = (["Table completed", "Table error"], ["Full load"], ["Table is being reloaded", "Table does not exist"])

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = getattr(self, self.headers["X-Amz-Target"].rpartition(".")[2])(asked)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def GetParameter(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if asked["Name"] == "/catchment/dev/sales/task-arn":
            return 200, {"Parameter": {"Name": asked["Name"], "Value": TASK}}
        return 400, {"__type": "ParameterNotFound", "message": asked["Name"]}

    def DescribeTableStatistics(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert asked["ReplicationTaskArn"] == TASK
        page = int(asked.get("Marker", "0"))
        tables = [
            {"SchemaName": "s", "TableName": f"t{page}_{i}", "TableState": state}
            for i, state in enumerate(self.pages[page])
        ]
        more = {"Marker": str(page + 1)} if page + 1 < len(self.pages) else {}
        return 200, {"ReplicationTaskArn": TASK, "TableStatistics": tables, **more}

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), Aws)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    for name, value in {
        "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "METRIC_NAMESPACE": "Catchment", "SOURCES": "sales,crm", "TASKS_PREFIX": "/catchment/dev",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_suspended_tables_are_counted_and_named(
    aws: None, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from lambda_src.table_states.handler import handler

    assert handler({}, None) == {"sales": {"TablesInError": 2, "TablesLoading": 2, "Tables": 5}}
    [written] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (written["source"], written["TablesInError"]) == ("sales", [2.0])
    [directive] = written["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Catchment", [["source"]])
    assert [record.getMessage() for record in caplog.records] == [
        "sales: s.t0_1: Table error",
        "sales: s.t2_1: Table does not exist",
    ]


def test_the_alarm_watches_what_is_written(laptop: Assembly) -> None:
    alarms = laptop.properties("Monitoring", "AWS::CloudWatch::Alarm")
    [alarm] = [each for each in alarms if each["MetricName"] == "TablesInError"]
    assert alarm["Namespace"] == "catchment/laptop"
    assert alarm["Dimensions"] == [{"Name": "source", "Value": "sales"}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert "docs/reload.md" in alarm["AlarmDescription"]
