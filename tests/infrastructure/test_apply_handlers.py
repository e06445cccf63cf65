"""The handlers of apply, sweep and empty_bucket, in process, on a local AWS: real queues, buckets and leases."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from catchment.errors import LeaseTaken
from catchment.landing.names import TableName
from catchment.leases.dynamodb import DynamoLease
from catchment.reload.request import ReloadRequest, withdraw_request, write_request
from catchment.storage import open_store
from lambda_src.pokes import Poke, parse
from local.aws import LocalAws

LARGE = {f"sales.large_{number}": {"key": ["id"], "engine": "spark"} for number in (1, 2)}
CONTRACTS = {
    "shop": {
        "landing": {"timestamp_column": "dms_ts", "sequence_column": "dms_seq", "before_image_prefix": "BI_"},
        "tables": {"sales.orders": {"key": ["id"]}, "sales.visits": {}, "sales.empty": {"key": ["id"]}, **LARGE},
    }
}
ORDERS = Poke("shop", "sales", "orders")


class Context:
    """Lambda's."""

    memory_limit_in_mb = "1024"

    def __init__(self, seconds: float = 60) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


class Cloud:
    """What the Apply stack deploys, as far as handlers reach it."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.s3, self.sqs, self.dynamodb = aws.client("s3"), aws.client("sqs"), aws.client("dynamodb")
        for bucket in ("landing", "silver", "quarantine", "contracts"):
            self.s3.create_bucket(Bucket=bucket)
        self.s3.put_object(Bucket="contracts", Key="contracts.json", Body=json.dumps(CONTRACTS).encode())
        self.dynamodb.create_table(
            TableName="control",
            KeySchema=[{"AttributeName": "table", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "table", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.queue = self.sqs.create_queue(QueueName="events")["QueueUrl"]
        self.dead_letters = self.sqs.create_queue(QueueName="dead-letters")["QueueUrl"]

    def variables(self) -> dict[str, str]:
        return {
            **self.aws.environment(),
            **{f"{name.upper()}_URL": f"s3://{name}" for name in ("landing", "silver", "quarantine")},
            "CONTRACTS_URL": "s3://contracts/contracts.json",
            "CONTROL_TABLE": "control",
            "QUEUE_URL": self.queue,
            "DEAD_LETTERS_URL": self.dead_letters,
            "METRIC_NAMESPACE": "Catchment",
            "TASKS_PREFIX": "/catchment/test",
            "COMMIT_MB": "64",
            "COMMIT_FILES": "100",
            "FILE_DAYS": "7",
            "LOG_DAYS": "30",
            "DISK_MB": "2048",
            "TIMEOUT_SECONDS": "300",
            "SPARK_JOB": "apply",
            "SPARK_WORKER_TYPE": "G.1X",
            "SPARK_WORKERS": "2",
            "SPARK_AFTER_MINUTES": "60",
        }

    def land(self, path: str, rows: list[dict[str, Any]]) -> str:
        """Put a Parquet file into the landing zone; its key."""
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        self.s3.put_object(Bucket="landing", Key=f"shop/{path}", Body=sink.getvalue().to_pybytes())
        return f"shop/{path}"

    def take(self, queue: str) -> list[dict[str, Any]]:
        """The messages of a queue, removed from it."""
        taken: list[dict[str, Any]] = []
        while found := self.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            taken += found
            for message in found:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table of the lake, read as anybody may."""
        store = open_store(f"s3://silver/shop/sales/{table}")
        found = DeltaTable(store.url, storage_options=store.delta_options()).to_pyarrow_table()
        return found.drop_columns(["_catchment_seq"]).to_pylist()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("aws"), settings={"CATCHMENT_SPARK_PYTHON": sys.executable}) as started:
        yield started


@pytest.fixture(scope="module")
def cloud(aws: LocalAws) -> Iterator[Cloud]:
    before = dict(os.environ)
    found = Cloud(aws)
    os.environ.update(found.variables())
    yield found
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def apply(cloud: Cloud) -> ModuleType:
    """The handler's module, imported when the environment is set, as Lambda does."""
    from lambda_src.apply import handler

    return handler


def _change(op: str, number: int, **columns: Any) -> dict[str, Any]:
    at = f"2026-03-01 09:00:00.{number:06d}"
    return {"Op": op, "dms_ts": at, **columns, "dms_seq": f"20260301090000{number:021d}", "BI_id": None}


def _event(*keys: str) -> dict[str, Any]:
    """What the queue hands over for objects that landed: EventBridge events."""
    bodies = [json.dumps({"source": "aws.s3", "detail": {"object": {"key": key}}}) for key in keys]
    return {"Records": [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]}


def _poked(poke: Poke) -> dict[str, Any]:
    return {"Records": [{"messageId": "poke", "body": poke.message()}]}


def test_a_landed_file_becomes_rows_and_metrics(
    cloud: Cloud, apply: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    key = cloud.land("sales/orders/2026/03/01/20260301-090100000.parquet", [_change("I", 1, id=1, status="new")])
    assert apply.handler(_event(key, key), Context()) == {"batchItemFailures": []}
    assert cloud.rows("orders") == [{"id": 1, "status": "new"}]
    source, table = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert (source["source"], source["RowsApplied"], source["RowsQuarantined"]) == ("shop", [1.0], [0.0])
    assert source["CommitLagSeconds"][0] > 0
    assert source["ApplySeconds"][0] > 0
    assert (table["source"], table["table"], table["RowsApplied"]) == ("shop", "sales.orders", [1.0])
    dimensions = [each["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for each in (source, table)]
    assert dimensions == [[["source"]], [["source", "table"]]]


def test_a_poke_without_news_changes_nothing(cloud: Cloud, apply: ModuleType) -> None:
    before = cloud.rows("orders")
    assert apply.handler(_poked(ORDERS), Context()) == {"batchItemFailures": []}
    assert cloud.rows("orders") == before


def test_objects_that_belong_to_no_table_are_left_alone(cloud: Cloud, apply: ModuleType) -> None:
    keys = ("shop/awsdms_status", "shop/sales/unlisted/LOAD00000001.parquet", "other/sales/orders/LOAD00000001.parquet")
    assert apply.handler(_event(*keys), Context()) == {"batchItemFailures": []}


def test_a_message_that_is_no_poke_comes_back_without_the_others(cloud: Cloud, apply: ModuleType) -> None:
    records = [{"messageId": "bad", "body": "{}"}, {"messageId": "worse", "body": "["}, *_poked(ORDERS)["Records"]]
    failed = apply.handler({"Records": records}, Context())["batchItemFailures"]
    assert failed == [{"itemIdentifier": "bad"}, {"itemIdentifier": "worse"}]


def test_what_cannot_be_cured_by_trying_again_goes_to_the_dead_letters_at_once(
    cloud: Cloud, apply: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    load = "sales/visits/LOAD00000001.parquet"
    row = {"Op": "I", "dms_ts": "2026-03-01 09:00:00.000000", "page": "a", "dms_seq": ""}
    assert apply.handler(_event(cloud.land(load, [row])), Context()) == {"batchItemFailures": []}
    assert cloud.take(cloud.dead_letters) == []
    reloaded = _event(cloud.land(load, [row, row]))
    assert apply.handler(reloaded, Context()) == {"batchItemFailures": []}
    (letter,) = cloud.take(cloud.dead_letters)
    assert letter["Body"] == reloaded["Records"][0]["body"]
    assert letter["MessageAttributes"]["error"]["StringValue"] == "ReloadSeen"
    assert "LOAD00000001" in letter["MessageAttributes"]["reason"]["StringValue"]
    assert [line for line in capsys.readouterr().out.splitlines() if '"Failures":[1.0]' in line]


def test_a_table_that_another_call_works_on_is_left_to_it(cloud: Cloud, apply: ModuleType) -> None:
    other = DynamoLease(cloud.dynamodb, "control", prefix="shop/", seconds=60).acquire("sales.orders")
    other.look()
    assert apply.handler(_poked(ORDERS), Context()) == {"batchItemFailures": []}
    assert other.release() is False, "whoever holds the lease has been told to look once more"
    assert other.release(force=True)


def test_a_load_that_is_not_complete_is_looked_at_again_by_one_message(cloud: Cloud, apply: ModuleType) -> None:
    row = {"Op": "I", "dms_ts": "2026-03-01 09:00:00.000000", "id": 1, "dms_seq": ""}
    events = [_event(cloud.land(f"sales/empty/LOAD0000000{number}.parquet", [row])) for number in (1, 2)]
    apply.handler(events[1], Context())
    lake, table = open_store("s3://silver/shop"), TableName("sales", "empty")
    write_request(lake, table, ReloadRequest("2999-01-01T00:00:00+00:00", "2999".ljust(35, "0")))
    cloud.take(cloud.queue)
    apply.handler(events[0], Context())  # of an older file than the newest
    assert apply.handler(events[1], Context()) == {"batchItemFailures": []}
    queued = cloud.sqs.get_queue_attributes(QueueUrl=cloud.queue, AttributeNames=["All"])["Attributes"]
    assert (queued["ApproximateNumberOfMessages"], queued["ApproximateNumberOfMessagesDelayed"]) == ("0", "1")
    cloud.sqs.purge_queue(QueueUrl=cloud.queue)
    withdraw_request(lake, table)


def test_a_poke_may_name_a_file() -> None:
    named = ORDERS.message("sales/orders/LOAD00000001.parquet")
    assert parse(named) == (ORDERS, "sales/orders/LOAD00000001.parquet")
    assert parse(ORDERS.message()) == (ORDERS, None)


def test_a_table_that_is_not_done_in_time_is_poked_again(cloud: Cloud, apply: ModuleType) -> None:
    cloud.land("sales/orders/2026/03/01/20260301-090200000.parquet", [_change("U", 2, id=1, status="paid")])
    assert apply.handler(_poked(ORDERS), Context(seconds=0)) == {"batchItemFailures": []}
    (again,) = cloud.take(cloud.queue)
    assert parse(again["Body"]) == (ORDERS, None)
    assert apply.handler(_poked(ORDERS), Context()) == {"batchItemFailures": []}
    assert cloud.rows("orders") == [{"id": 1, "status": "paid"}]


WAITING = """
import sys, time, boto3
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
boto3.client("dynamodb").update_item(
    TableName="control", Key={"table": {"S": "a run was here"}}, UpdateExpression="SET given = :given",
    ExpressionAttributeValues={":given": {"S": repr(given)}},
)
time.sleep(600)
"""


def _free(cloud: Cloud, table: str) -> bool:
    lease = DynamoLease(cloud.dynamodb, "control", prefix="shop/", seconds=60)
    try:
        return lease.acquire(table).release(force=True)
    except LeaseTaken:
        return False


def test_a_table_that_no_run_can_be_started_for_is_taken_back(cloud: Cloud, apply: ModuleType) -> None:
    cloud.land("sales/large_1/LOAD00000001.parquet", [_change("I", 1, id=1)])
    failed = apply.handler(_poked(Poke("shop", "sales", "large_1")), Context())["batchItemFailures"]
    assert failed == [{"itemIdentifier": "poke"}], "there is no such job: somebody has to see it"
    assert _free(cloud, "sales.large_1")


def test_a_table_is_sparks_until_its_run_ends_and_others_wait_for_a_run(cloud: Cloud, apply: ModuleType) -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "glue.amazonaws.com"}}
    iam, glue = cloud.aws.client("iam"), cloud.aws.client("glue")
    role = iam.create_role(RoleName="spark", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    everything = {"Effect": "Allow", "Action": ["s3:GetObject", "dynamodb:UpdateItem"], "Resource": "*"}
    iam.put_role_policy(RoleName="spark", PolicyName="may", PolicyDocument=json.dumps({"Statement": [everything]}))
    cloud.s3.put_object(Bucket="contracts", Key="waiting.py", Body=WAITING.encode())
    glue.create_job(Name="apply", Role=role, Command={"Name": "glueetl", "ScriptLocation": "s3://contracts/waiting.py"})
    cloud.land("sales/large_2/LOAD00000001.parquet", [_change("I", 1, id=1)])
    first, second = (Poke("shop", "sales", f"large_{number}") for number in (1, 2))

    assert apply.handler(_poked(first), Context()) == {"batchItemFailures": []}
    assert not _free(cloud, "sales.large_1")
    assert apply.handler(_poked(first), Context()) == {"batchItemFailures": []}
    (run,) = glue.get_job_runs(JobName="apply")["JobRuns"]
    assert {name: run["Arguments"][f"--{name}"] for name in ("source", "schema", "table")} == {
        "source": "shop",
        "schema": "sales",
        "table": "large_1",
    }
    held = DynamoLease(cloud.dynamodb, "control", prefix="shop/", seconds=60).acquire(
        "sales.large_1", token=run["Arguments"]["--lease_token"]
    )
    held.look()

    assert apply.handler(_poked(second), Context()) == {"batchItemFailures": []}
    assert _free(cloud, "sales.large_2")
    waits = cloud.sqs.get_queue_attributes(QueueUrl=cloud.queue, AttributeNames=["ApproximateNumberOfMessagesDelayed"])[
        "Attributes"
    ]
    assert waits["ApproximateNumberOfMessagesDelayed"] == "1"
    glue.batch_stop_job_run(JobName="apply", JobRunIds=[run["Id"]])
    cloud.sqs.purge_queue(QueueUrl=cloud.queue)
    assert held.release()


def test_what_may_succeed_later_comes_back(cloud: Cloud, apply: ModuleType) -> None:
    cloud.land("sales/empty/2026/03/01/20260301-090300000.parquet", [_change("I", 3, id=1)])
    cloud.s3.create_bucket(Bucket="other")
    apply.tables.cache_clear()
    os.environ["SILVER_URL"] = "s3://not-there"
    failed = apply.handler(_poked(Poke("shop", "sales", "empty")), Context())["batchItemFailures"]
    os.environ["SILVER_URL"] = "s3://silver"
    apply.tables.cache_clear()
    assert failed == [{"itemIdentifier": "poke"}]
    assert cloud.take(cloud.dead_letters) == []
    assert apply.handler(_poked(Poke("shop", "sales", "empty")), Context()) == {"batchItemFailures": []}
    assert cloud.rows("empty") == [{"id": 1}]


def test_the_sweep_pokes_every_table_to_be_listed_whole(cloud: Cloud) -> None:
    from lambda_src.sweep.handler import handler

    assert handler({}, None) == {"tables": 5}
    assert {parse(message["Body"]) for message in cloud.take(cloud.queue)} == {
        (Poke("shop", "sales", table), None) for table in ("orders", "visits", "empty", "large_1", "large_2")
    }


def test_the_schedule_of_maintenance_asks_for_each_table_and_it_is_done(cloud: Cloud, apply: ModuleType) -> None:
    from lambda_src.sweep.handler import handler

    orders = ORDERS._replace(maintain=True)
    assert handler({"maintain": True}, None) == {"tables": 5}
    (first,) = cloud.take(cloud.queue)  # the others are kept back for some minutes each
    assert parse(first["Body"]) == (orders, None)
    before = cloud.rows("orders")
    for number in range(10):
        file = f"sales/orders/2026/03/01/20260301-0905{number:02d}000.parquet"
        cloud.land(file, [_change("I", 50 + number, id=700 + number, status="new")])
        assert apply.handler(_poked(ORDERS), Context()) == {"batchItemFailures": []}
    assert apply.handler(_poked(orders), Context()) == {"batchItemFailures": []}
    assert len(cloud.rows("orders")) == len(before) + 10
    pointer = "shop/sales/orders/_delta_log/_last_checkpoint"
    assert cloud.s3.get_object(Bucket="silver", Key=pointer)["Body"].read()


def test_a_bucket_is_emptied_before_it_is_deleted(cloud: Cloud, tmp_path: Path) -> None:
    from lambda_src.deadline import Deadline
    from lambda_src.empty_bucket.handler import empty

    cloud.s3.create_bucket(Bucket="going")
    for number in range(12):
        cloud.s3.put_object(Bucket="going", Key=f"folder/{number}", Body=b"x")
    empty(cloud.s3, "going", Deadline(Context()))
    cloud.s3.delete_bucket(Bucket="going")
    empty(cloud.s3, "going", Deadline(Context()))


@pytest.mark.parametrize(
    ("key", "poke"),
    [
        ("shop/sales/orders/LOAD00000001.parquet", ORDERS),
        ("shop/hard/Mixed Case/2026/03/01/20260301-090100000.parquet", Poke("shop", "hard", "Mixed Case")),
        ("shop/a.b/c.d/SEGMENT1_LOAD00000001.csv.gz", Poke("shop", "a.b", "c.d")),
        ("shop/sales/orders", None),
        ("awsdms_status", None),
    ],
)
def test_an_events_key_names_its_table_and_its_file(key: str, poke: Poke | None) -> None:
    found = parse(json.dumps({"detail": {"object": {"key": key}}}))
    assert found == (None if poke is None else (poke, key.removeprefix("shop/")))


def test_a_poke_survives_its_message() -> None:
    poke = Poke("shop", "a.b", 'Straße "x"')
    assert parse(poke.message()) == (poke, None)
