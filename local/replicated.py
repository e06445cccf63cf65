"""One source of a run with its replication task and its part of the lake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from threading import Event

from catchment.landing.contract import TableContract, load_contracts
from catchment.landing.names import TableName
from catchment.reconcile.fence import fence_passed
from local.aws import LocalAws
from local.errors import RunFailed
from local.lake_watch import LakeWatch
from local.reload import Healer
from local.source.workload import WorkDone, Workload
from local.sources import Source


class ReplicatedSource:
    """A source under way, found through the stacks' outputs.

    ``lake`` is the source's folder in the silver bucket, ``watch`` follows its tables. ``healer`` reloads the table
    that is truncated on the way; without one none is.
    """

    def __init__(self, aws: LocalAws, outputs: Mapping[str, str], source: Source, healer: Healer | None) -> None:
        self.source, self.healer = source, healer
        self._dms, self._task = aws.client("dms"), outputs[f"{source.name}TaskArn"]
        buckets = aws.folder / "s3"
        self.lake: Path = buckets / outputs["SilverBucket"] / source.name
        self.contracts = _read_contracts(aws, outputs["ContractsUrl"], source.name)
        landing = buckets / outputs["LandingBucket"] / source.name
        self.watch = LakeWatch(self.lake, landing, [str(name) for name in self.contracts])

    def loaded(self) -> bool:
        """Whether the task has loaded every table. Raises RunFailed where it failed, or a table did."""
        states = self._table_states()
        return len(states) == len(self.contracts) and set(states.values()) == {"Table completed"}

    def work(self, stop: Event, rate: float, seconds: float, seed: int) -> WorkDone:
        """Run the live workload to its end, or until ``stop``. Raises WorkloadFailed, and the driver's errors."""
        workload = Workload(
            self.source.database, rate=rate, seconds=seconds, seed=seed, truncates=self.healer is not None
        )
        refill = self.source.database.work.truncation
        watched = partial(_see, self.healer, refill.__name__ if refill else "")
        return workload.run(stop, watched)

    @property
    def heals(self) -> bool:
        """Whether a table is still to be loaded again."""
        return self.healer is not None and self.healer.busy

    def poll(self) -> None:
        """Read what the lake has become, and see to the reload. Raises RunFailed."""
        self.watch.poll()
        if self.healer is not None:
            self.healer.poll()

    def set_fence(self) -> str:
        """A fence behind all that is committed at the source by now."""
        return self.source.set_fence()

    def passed(self, fence: str) -> bool:
        """Whether the task has delivered everything before the fence."""
        described = self._dms.describe_replication_tasks(Filters=self._of_task(), WithoutSettings=True)
        checkpoint = described["ReplicationTasks"][0].get("RecoveryCheckpoint", "")
        return fence_passed(self.source.engine, checkpoint, fence)

    def _of_task(self) -> list[dict[str, object]]:
        return [{"Name": "replication-task-arn", "Values": [self._task]}]

    def _table_states(self) -> dict[str, str]:
        task = self._dms.describe_replication_tasks(Filters=self._of_task())["ReplicationTasks"][0]
        if task["Status"] == "failed":
            raise RunFailed(f"replication task of {self.source.name}", task.get("LastFailureMessage", "failed"))
        found = self._dms.describe_table_statistics(ReplicationTaskArn=self._task, MaxRecords=500)
        states = {f"{t['SchemaName']}.{t['TableName']}": t["TableState"] for t in found["TableStatistics"]}
        broken = [name for name, state in states.items() if state == "Table error"]
        if broken:
            why = f"suspended: {', '.join(broken)}; see the task's log"
            raise RunFailed(f"replication task of {self.source.name}", why)
        return states


def _read_contracts(aws: LocalAws, url: str, source: str) -> dict[TableName, TableContract]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    document = json.loads(aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    return load_contracts(json.dumps(document[source]), source_name=url)


def _see(healer: Healer | None, refill: str, done: WorkDone) -> None:
    if healer is not None and done.kinds[refill]:
        healer.truncated()
