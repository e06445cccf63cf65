"""The reload operation against the emulated DMS: from a TRUNCATE to a table that equals its source again.

Scope: request, DMS adapter, real files and the applier; the lake is a folder, and the applier runs while we wait.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from catchment.apply import Account, Budget, apply_table
from catchment.errors import ReloadFailed, ReloadPending
from catchment.landing.contract import load_contracts
from catchment.landing.names import TableName
from catchment.leases import MemoryLease
from catchment.reload.dms import DmsTask
from catchment.reload.operation import Clock, reload_tables
from catchment.reload.request import read_request
from catchment.storage import ObjectStore, open_store
from tests.local.dms.test_dms_service import Dms, dms

__all__ = ["dms"]

ORDERS = TableName("shop", "orders")
SETTINGS = json.dumps(
    {
        "ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableTruncated": False},
        "ErrorBehavior": {"ApplyErrorFailOnTruncationDdl": True},
    }
)


class Client:
    """The service as boto3 shows it: methods in small letters, times as datetimes."""

    def __init__(self, service: Any) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            answer = self._service.handle(name.title().replace("_", ""), parameters)
            for line in answer.get("TableStatistics", []):
                for key in ("FullLoadStartTime", "FullLoadEndTime"):
                    if key in line:
                        line[key] = datetime.fromtimestamp(line[key], UTC)
            return answer

        return call


class Lake:
    """The applier of one table, which runs whenever somebody waits."""

    def __init__(self, root: Path, task: DmsTask) -> None:
        self.landing, self.store = root / "buckets/landing/sales", open_store(str(root / "lake"))
        self._root, self._task = root, task
        text = "{timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}"
        self._contract = load_contracts(f"landing: {text}\ntables: {{shop.orders: {{key: [id]}}}}")[ORDERS]
        self.seen: list[int] = []

    def apply(self, _seconds: float = 0) -> Account:
        def store(folder: Path) -> ObjectStore:
            return open_store(str(folder))

        account = apply_table(
            contract=self._contract,
            landing=store(self.landing),
            lake=self.store,
            quarantine=store(self._root / "quarantine"),
            lease=MemoryLease(),
            budget=Budget(),
            now=lambda: datetime.now(UTC),
            loads=self._task,
        )
        if account.rows is not None:
            self.seen.append(account.rows)
        return account

    def pause(self, seconds: float) -> None:
        self.apply()
        time.sleep(max(0.0, min(seconds, 0.2)))

    def rows(self) -> list[tuple[int, str]]:
        found = DeltaTable(self._root / "lake/shop/orders").to_pyarrow_table().to_pylist()
        return sorted((row["id"], row["status"]) for row in found)


@pytest.fixture
def task(dms: Dms, tmp_path: Path, wait_for: Callable[..., Any]) -> DmsTask:
    dms.call("ModifyReplicationTask", ReplicationTaskArn=dms.task, ReplicationTaskSettings=SETTINGS)
    dms.test_connections(wait_for)
    dms.start()
    wait_for(lambda: dms.described()["Status"] == "running", "the task to run")
    wait_for(lambda: dms.line().get("TableState") == "Table completed", "the full load")
    return DmsTask(Client(dms.service), dms.task)


def reload(lake: Lake, task: DmsTask, tell: Any = lambda table, text: None, **options: Any) -> Any:
    clock = Clock(lambda: datetime.now(UTC), lambda seconds: _until(lake, seconds), timedelta(0))
    arguments = {"reason": "a test", "timeout": 30, "poke": lambda table: None, **options}
    return reload_tables(lake.store, task, [ORDERS], clock=clock, tell=tell, **arguments)


def _until(lake: Lake, seconds: float) -> None:
    """Let the time pass while the applier runs."""
    ends = time.monotonic() + seconds
    while True:
        lake.pause(ends - time.monotonic())
        if time.monotonic() >= ends:
            return


def test_a_truncated_table_is_reloaded_and_equals_its_source(
    dms: Dms, task: DmsTask, tmp_path: Path, wait_for: Callable[..., Any]
) -> None:
    lake = Lake(tmp_path, task)
    dms.shop.run("INSERT INTO shop.orders SELECT g, 'old' FROM generate_series(3, 40) g")
    wait_for(lambda: dms.line()["Inserts"] == 38, "the changes")
    assert lake.apply().rows == 40
    dms.shop.run("TRUNCATE shop.orders", "INSERT INTO shop.orders VALUES (1,'new'), (2,'kept'), (90,'after')")
    wait_for(lambda: dms.described()["Status"] == "failed", "the failure")
    said: list[str] = []

    def tell(_table: TableName, text: str) -> None:
        if text == "requested":  # while the reload is under way
            dms.shop.run(
                "UPDATE shop.orders SET status = 'changed' WHERE id = 2", "DELETE FROM shop.orders WHERE id = 90"
            )
        said.append(text)

    [swapped] = reload(lake, task, tell)
    assert (swapped.generation, swapped.counts["deleted"], swapped.counts["unchanged"]) == (1, 38, 1)
    assert said[0] == "the task stood still and was resumed"
    assert said[1] == "requested"
    assert re.fullmatch(r"swapped in: \d inserted, \d updated, 38 deleted, 1 unchanged in \d+\.\d s", said[-1])
    wait_for(lambda: lake.apply() and lake.rows() == [(1, "new"), (2, "changed")], "the changes since")
    assert min(lake.seen) > 1, "a reader saw a table that was half there"


def test_a_reload_that_does_not_end_in_time_goes_on(dms: Dms, task: DmsTask, tmp_path: Path) -> None:
    lake = Lake(tmp_path, task)
    lake.apply()
    stuck = Lake(tmp_path, task)
    stuck.apply = lambda _seconds=0: None  # type: ignore[assignment,method-assign,misc]
    with pytest.raises(ReloadPending, match=r"shop\.orders: not swapped in after"):
        reload(stuck, task, timeout=1)
    assert read_request(lake.store, ORDERS) is not None


def test_a_refused_reload_takes_its_request_back(dms: Dms, task: DmsTask, tmp_path: Path) -> None:
    lake = Lake(tmp_path, task)

    class Refusing(DmsTask):
        def reload(self, tables: Any) -> None:
            raise ReloadFailed("task", "refused")

    with pytest.raises(ReloadFailed, match="refused"):
        reload(lake, Refusing(Client(dms.service), dms.task))
    assert read_request(lake.store, ORDERS) is None
