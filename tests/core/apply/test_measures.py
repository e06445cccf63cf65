"""What is measured of a call, by its account. Scope: catchment.apply.measures, catchment.spark.metrics."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import boto3
import pytest

from catchment.apply.account import Account, Counts
from catchment.apply.measures import Measures
from catchment.spark.metrics import put_measures

NOON = datetime(2024, 8, 9, 12, 0, tzinfo=UTC)


def test_a_call_that_committed_says_how_long_it_took_and_how_late_it_was() -> None:
    account = Account("s.t", counts=Counts(read=4, applied=3, quarantined=1), commits=1, watermark=20240809115930000)
    measures = Measures.of(account, 2.5, NOON)
    rows = {"RowsApplied": 3, "RowsQuarantined": 1}
    assert measures.of_source == {**rows, "HandedOver": 0, "ApplySeconds": 2.5, "CommitLagSeconds": 30.0}
    assert measures.of_table == rows


def test_a_call_without_news_says_nothing_of_the_table() -> None:
    measures = Measures.of(Account("s.t", handed_over="spark 1"), 0.1, NOON)
    assert measures.of_source == {"RowsApplied": 0, "RowsQuarantined": 0, "HandedOver": 1}
    assert measures.of_table == {}


def test_a_clock_that_is_behind_makes_nothing_early() -> None:
    account = Account("s.t", commits=1, watermark=20240809120001000)
    assert Measures.of(account, 1.0, NOON).of_source["CommitLagSeconds"] == 0.0


def test_a_run_does_not_fail_of_what_it_measured(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # clients of other tests must not have these credentials
    put_measures("lake/dev", "sales", "s.t", Measures({"Failures": 1}, {}))
    assert "sales s.t: what was measured is not in CloudWatch" in caplog.text
