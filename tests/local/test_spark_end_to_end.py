"""Tables that go to Spark, on the deployed stacks: file → event → function → run of the Glue job → table.

Scope: the whole of it on the local AWS, with the real Spark of ``make setup-spark``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from local.aws import LocalAws, deploy
from stacks.assembly import synthesize

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SPARK = Path(__file__).parents[2] / ".venv-spark" / "bin" / "python"


def until(condition: Callable[[], Any], seconds: float = 240.0) -> Any:
    """The first true value of ``condition``."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)
    return found


class Stacks:
    """The deployed stacks Lake and Apply of laptop-spark, where hard.swaps goes to Spark."""

    def __init__(self, aws: LocalAws, outputs: Mapping[str, str]) -> None:
        self.aws, self.outputs = aws, outputs
        self.glue, self.sqs = aws.client("glue"), aws.client("sqs")

    def land(self, path: str, *rows: dict[str, Any]) -> None:
        """Put a file into the landing zone, as DMS would; its event is on its way then."""
        sink = pa.BufferOutputStream()
        kinds = {"id": pa.int32(), "word": pa.string(), "BI_id": pa.int32()}
        columns = ["Op", "dms_ts", "id", "word", "dms_seq", "BI_id"]
        schema = pa.schema([(name, kinds.get(name, pa.string())) for name in columns])
        pq.write_table(pa.Table.from_pylist([{"BI_id": None, **row} for row in rows], schema), sink)
        self.aws.client("s3").put_object(
            Bucket=self.outputs["LandingBucket"], Key=f"sales/{path}", Body=sink.getvalue().to_pybytes()
        )

    def rows(self, table: str) -> list[tuple[int, str]]:
        """What the lake holds, by key; empty where there is no table yet."""
        folder = self.aws.folder / "s3" / self.outputs["SilverBucket"] / "sales" / table
        if not (folder / "_delta_log").exists():
            return []
        return sorted((row["id"], row["word"]) for row in DeltaTable(folder).to_pyarrow_table().to_pylist())

    def runs(self) -> list[dict[str, Any]]:
        """The job's runs, newest first."""
        return list(self.glue.get_job_runs(JobName=self.outputs["SparkJob"])["JobRuns"])

    def run_of(self, number: int) -> dict[str, Any]:
        """The ``number``-th run, once it has ended."""

        def over() -> dict[str, Any] | None:
            ended = [run for run in reversed(self.runs()) if run["JobRunState"] not in ("STARTING", "RUNNING")]
            return ended[number - 1] if len(ended) >= number else None

        found: dict[str, Any] = until(over)
        return found

    def log(self, name: str) -> str:
        """What a function or the job printed."""
        path = self.aws.folder / "logs" / f"{self.outputs[name]}.log"
        return path.read_text() if path.exists() else ""

    def lease(self, table: str) -> dict[str, Any]:
        """The lease's item in the control table."""
        key = {"table": {"S": f"sales/{table}"}}
        item = self.aws.client("dynamodb").get_item(TableName=self.outputs["ControlTable"], Key=key)
        return dict(item.get("Item", {}))

    def measured(self) -> set[str]:
        """The names of the source's metrics."""
        mine = {"Namespace": "catchment/laptop-spark", "Dimensions": [{"Name": "source", "Value": "sales"}]}
        return {each["MetricName"] for each in self.aws.client("cloudwatch").list_metrics(**mine)["Metrics"]}

    def given_up(self) -> int:
        """Messages in the dead letters."""
        found = self.sqs.get_queue_attributes(QueueUrl=self.outputs["DeadLetterUrl"], AttributeNames=["All"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    assert SPARK.exists(), "make setup-spark"
    folder: Path = tmp_path_factory.mktemp("spark")
    assembly = synthesize("laptop-spark", folder / "cdk.out")
    with LocalAws.start(folder / "aws") as aws:
        deployed = deploy(aws, assembly, ["Lake", "Apply"])
        yield Stacks(aws, {name: value for outputs in deployed.values() for name, value in outputs.items()})


def load(number: int, word: str) -> dict[str, Any]:
    return {"Op": "I", "dms_ts": "2026-03-01 09:00:00.000000", "id": number, "word": word, "dms_seq": ""}


def change(op: str, order: int, number: int, word: str, before: int | None = None) -> dict[str, Any]:
    at = f"2026-03-01 09:00:00.{order:06d}"
    sequence = f"20260301090000{order:021d}"
    return {"Op": op, "dms_ts": at, "id": number, "word": word, "dms_seq": sequence, "BI_id": before}


def test_a_table_goes_to_spark_and_back_and_nobody_else_has_it_meanwhile(stacks: Stacks) -> None:
    stacks.land("hard/swaps/LOAD00000001.parquet", load(1, "a"), load(2, "b"), load(3, "c"))
    first = stacks.run_of(1)
    assert first["JobRunState"] == "SUCCEEDED", stacks.log("SparkJob")[-3000:]
    assert stacks.rows("hard/swaps") == [(1, "a"), (2, "b"), (3, "c")]
    assert first["Arguments"]["--lease_token"].startswith("spark ")
    until(lambda: "the table's setting is spark" in stacks.log("ApplyFunction"))

    # two keys change places, a row goes, and files land while the run is under way
    stacks.land(
        "hard/swaps/2026/03/01/20260301-090100000.parquet",
        change("U", 1, 9, "a", 1),
        change("U", 2, 1, "b", 2),
        change("U", 3, 2, "a", 9),
        change("D", 4, 3, "c"),
    )
    until(lambda: len(stacks.runs()) > 1)
    with_lease = stacks.lease("hard.swaps")
    assert "holder" in with_lease
    stacks.land("hard/swaps/2026/03/01/20260301-090200000.parquet", change("U", 5, 1, "late", 1))
    until(lambda: stacks.rows("hard/swaps") == [(1, "late"), (2, "a")])
    until(lambda: all(run["JobRunState"] == "SUCCEEDED" for run in stacks.runs()))
    until(lambda: "holder" not in stacks.lease("hard.swaps"))
    assert stacks.given_up() == 0
    assert {"ApplySeconds", "CommitLagSeconds", "RowsApplied"} <= stacks.measured()


def test_what_is_small_stays_with_the_function(stacks: Stacks) -> None:
    before = len(stacks.runs())
    stacks.land("hard/order/LOAD00000001.parquet", load(1, "a"))
    until(lambda: stacks.rows("hard/order") == [(1, "a")])
    assert len(stacks.runs()) == before
    until(lambda: "it fits, and costs less" in stacks.log("ApplyFunction"))
    assert stacks.given_up() == 0
