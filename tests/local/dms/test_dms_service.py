"""The DMS API over real tasks: create, start, stop, resume, reload, refuse, delete."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.dms.faults import DmsFault
from local.dms.service import DmsService

ORDERS = "CREATE TABLE shop.orders (id int PRIMARY KEY, status varchar(20))"


class Dms:
    """A service with an instance, tested endpoints and a task over a shop."""

    def __init__(self, shop: Any, folder: Path, mappings: list[Any], s3: dict[str, Any]) -> None:
        self.folder, self.shop = folder, shop
        self.events: list[Any] = []
        self.service = self.open()
        self.instance = self.call(
            "CreateReplicationInstance",
            ReplicationInstanceIdentifier="replicator",
            ReplicationInstanceClass="dms.t3.medium",
        )["ReplicationInstance"]["ReplicationInstanceArn"]
        self.source = self._endpoint(
            EndpointIdentifier="source",
            EndpointType="source",
            **shop.endpoint(),
            **shop.settings,
        )
        self.target = self._endpoint(EndpointIdentifier="target", EndpointType="target", EngineName="s3", S3Settings=s3)
        self.task = self.call(
            "CreateReplicationTask",
            ReplicationTaskIdentifier="orders",
            SourceEndpointArn=self.source,
            TargetEndpointArn=self.target,
            ReplicationInstanceArn=self.instance,
            MigrationType="full-load-and-cdc",
            TableMappings=json.dumps({"rules": mappings}),
        )["ReplicationTask"]["ReplicationTaskArn"]

    def open(self) -> DmsService:
        """The service on the folder's state."""
        self.service = DmsService(
            self.folder / "state",
            "",
            "123456789012",
            "us-east-1",
            folder_targets=self.folder / "buckets",
            put_event=self.events.append,
        )
        return self.service

    def call(self, action: str, **params: Any) -> dict[str, Any]:
        """An action with its parameters."""
        return self.service.handle(action, params)

    def _endpoint(self, **params: Any) -> str:
        return str(self.call("CreateEndpoint", **params)["Endpoint"]["EndpointArn"])

    def test_connections(self, wait_for: Callable[..., Any]) -> None:
        """Have both endpoints tested."""
        for endpoint in (self.source, self.target):
            self.call("TestConnection", ReplicationInstanceArn=self.instance, EndpointArn=endpoint)
        wait_for(lambda: {c["Status"] for c in self.call("DescribeConnections")["Connections"]} == {"successful"}, "")

    def described(self) -> dict[str, Any]:
        """The task."""
        (task,) = self.call("DescribeReplicationTasks")["ReplicationTasks"]
        return dict(task)

    def start(self, how: str = "start-replication") -> None:
        """Start the task."""
        self.call("StartReplicationTask", ReplicationTaskArn=self.task, StartReplicationTaskType=how)

    def line(self, table: str = "orders") -> dict[str, Any]:
        """A table's statistics."""
        found = self.call("DescribeTableStatistics", ReplicationTaskArn=self.task)["TableStatistics"]
        return next((dict(line) for line in found if line["TableName"] == table), {})

    @property
    def slot(self) -> str:
        """The task's slot."""
        return f"awsdms_{self.task.rsplit(':', 1)[1].lower()}"

    def files(self, table: str = "orders") -> list[str]:
        """Names of a table's objects."""
        folder = self.folder / "buckets/landing/sales" / self.shop.schema / table
        return sorted(f.name for f in folder.rglob("*.parquet"))


@pytest.fixture
def dms(shop: Any, tmp_path: Path, mappings: list[Any], s3: dict[str, Any]) -> Iterator[Dms]:
    shop.run(ORDERS, "INSERT INTO shop.orders VALUES (1,'new'), (2,'new')")
    made = Dms(shop, tmp_path, mappings, s3)
    yield made
    made.service.close()


def test_a_task_needs_tested_connections_and_runs_through_its_states(dms: Dms, wait_for: Callable[..., Any]) -> None:
    assert dms.described()["Status"] == "ready"
    with pytest.raises(DmsFault, match="should be successful") as fault:
        dms.start()
    assert fault.value.code == "InvalidResourceStateFault"
    dms.test_connections(wait_for)
    dms.start()
    wait_for(lambda: dms.described()["Status"] == "running", "the task to run")
    wait_for(lambda: dms.line().get("TableState") == "Table completed", "the full load")
    assert (dms.line()["FullLoadRows"], dms.line()["FullLoadReloaded"]) == (2, False)
    dms.shop.run("UPDATE shop.orders SET status = 'paid'", "DELETE FROM shop.orders WHERE id = 1")
    wait_for(lambda: dms.line()["Deletes"] == 1, "the changes")
    assert (dms.line()["Inserts"], dms.line()["Updates"]) == (0, 2)
    dms.call("StopReplicationTask", ReplicationTaskArn=dms.task)
    wait_for(lambda: dms.described()["Status"] == "stopped", "the task to stop")
    task = dms.described()
    assert task["StopReason"] == "Stop Reason NORMAL"
    assert task["ReplicationTaskStats"]["TablesLoaded"] == 1
    with pytest.raises(DmsFault, match="first time"):
        dms.start()
    dms.start("resume-processing")
    wait_for(lambda: dms.described()["Status"] == "running", "the task to resume")
    dms.shop.run("INSERT INTO shop.orders VALUES (3,'new')")
    wait_for(lambda: dms.line()["Inserts"] == 1, "the change after the resumption")


def test_a_killed_task_is_failed_and_can_be_resumed(dms: Dms, wait_for: Callable[..., Any]) -> None:
    dms.test_connections(wait_for)
    dms.start()
    wait_for(lambda: dms.line().get("TableState") == "Table completed", "the full load")
    assert dms.described()["Status"] == "running"
    (pid,) = (dms.folder / "state" / "tasks").glob("*/task.pid")
    os.kill(int(pid.read_text()), signal.SIGKILL)
    wait_for(lambda: dms.described()["Status"] == "failed", "the failure")
    assert dms.described()["StopReason"] == "Stop Reason RECOVERABLE_ERROR"
    dms.shop.run("INSERT INTO shop.orders VALUES (3,'new')")
    dms.start("resume-processing")
    wait_for(lambda: dms.line().get("Inserts") == 1, "the change made meanwhile")
    wait_for(lambda: dms.described()["Status"] == "running" and len(dms.events) == 3, "the events")
    told = [json.loads(event["Detail"])["eventType"] for event in dms.events]
    assert told == ["REPLICATION_TASK_STARTED", "REPLICATION_TASK_FAILED", "REPLICATION_TASK_STARTED"]
    assert dms.events[1]["Resources"] == [dms.task]
    assert len(dms.files()) == 2


def test_one_table_and_the_whole_task_load_again(dms: Dms, wait_for: Callable[..., Any]) -> None:
    dms.test_connections(wait_for)
    dms.start()
    wait_for(lambda: dms.line().get("TableState") == "Table completed", "the full load")
    wait_for(lambda: dms.described()["Status"] == "running", "the task to run")
    dms.shop.run("INSERT INTO shop.orders VALUES (3,'new')")
    wait_for(lambda: dms.line()["Inserts"] == 1, "the change")
    orders = {"SchemaName": "shop", "TableName": "orders"}
    dms.call("ReloadTables", ReplicationTaskArn=dms.task, TablesToReload=[orders])
    wait_for(lambda: dms.line()["FullLoadReloaded"], "the reload")
    assert (dms.line()["FullLoadRows"], dms.line()["TableState"]) == (3, "Table completed")
    with pytest.raises(DmsFault, match=r"shop\.nothing"):
        dms.call(
            "ReloadTables",
            ReplicationTaskArn=dms.task,
            TablesToReload=[{"SchemaName": "shop", "TableName": "nothing"}],
        )
    dms.call("StopReplicationTask", ReplicationTaskArn=dms.task)
    wait_for(lambda: dms.described()["Status"] == "stopped", "the task to stop")
    dms.shop.run("DELETE FROM shop.orders WHERE id = 1")
    dms.start("reload-target")
    wait_for(lambda: dms.line().get("FullLoadRows") == 2, "the load of the whole task")


def test_a_suspended_table_leaves_the_task_running_and_a_reload_cures_it(
    dms: Dms, wait_for: Callable[..., Any]
) -> None:
    dms.shop.run("CREATE TABLE shop.sums (id int PRIMARY KEY, n numeric)", "INSERT INTO shop.sums VALUES (1, 1)")
    settings = json.dumps({"ErrorBehavior": {"DataErrorPolicy": "SUSPEND_TABLE"}})
    dms.call("ModifyReplicationTask", ReplicationTaskArn=dms.task, ReplicationTaskSettings=settings)
    dms.test_connections(wait_for)
    dms.start()
    wait_for(lambda: dms.line("sums").get("TableState") == "Table completed", "the full load")
    dms.shop.run("INSERT INTO shop.sums VALUES (2, 1e22)", "INSERT INTO shop.orders VALUES (3, 'new')")
    wait_for(lambda: dms.line("sums")["TableState"] == "Table error", "the suspension")
    wait_for(lambda: dms.line("orders")["Inserts"] == 1, "the other table's change")
    assert dms.described()["Status"] == "running"
    assert dms.described()["ReplicationTaskStats"]["TablesErrored"] == 1
    dms.shop.run("DELETE FROM shop.sums WHERE id = 2", "INSERT INTO shop.sums VALUES (3, 3)")
    sums = {"SchemaName": "shop", "TableName": "sums"}
    dms.call("ReloadTables", ReplicationTaskArn=dms.task, TablesToReload=[sums])
    wait_for(lambda: dms.line("sums")["FullLoadReloaded"], "the reload")
    dms.shop.run("INSERT INTO shop.sums VALUES (4, 4)")
    wait_for(lambda: dms.line("sums")["Inserts"] >= 1, "changes after the reload")
    assert (dms.line("sums")["FullLoadRows"], dms.line("sums")["TableState"]) == (2, "Table completed")


def test_deleting_a_task_leaves_nothing_in_the_source(dms: Dms, wait_for: Callable[..., Any]) -> None:
    dms.test_connections(wait_for)
    dms.start()
    wait_for(lambda: dms.line().get("TableState") == "Table completed", "the full load")
    wait_for(lambda: dms.described()["Status"] == "running", "the task to run")
    with pytest.raises(DmsFault, match="running"):
        dms.call("DeleteReplicationTask", ReplicationTaskArn=dms.task)
    with pytest.raises(DmsFault, match="used by task"):
        dms.call("DeleteEndpoint", EndpointArn=dms.source)
    dms.call("StopReplicationTask", ReplicationTaskArn=dms.task)
    wait_for(lambda: dms.described()["Status"] == "stopped", "the task to stop")
    assert dms.shop.confirmed(dms.slot)
    dms.call("DeleteReplicationTask", ReplicationTaskArn=dms.task)
    wait_for(lambda: not dms.call("DescribeReplicationTasks")["ReplicationTasks"], "the task to go")
    assert not dms.shop.rows(f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{dms.slot}'")
    assert not dms.shop.rows("SELECT pubname FROM pg_publication")
    dms.call("DeleteEndpoint", EndpointArn=dms.source)
    with pytest.raises(DmsFault) as fault:
        dms.call("DescribeEndpoints", Filters=[{"Name": "endpoint-arn", "Values": [dms.source]}])
    assert fault.value.code == "ResourceNotFoundFault"


def test_the_service_keeps_its_resources(dms: Dms, wait_for: Callable[..., Any]) -> None:
    dms.test_connections(wait_for)
    dms.start()
    wait_for(lambda: dms.line().get("TableState") == "Table completed", "the full load")
    dms.service.close()
    dms.open()
    assert dms.described()["Status"] == "stopped"
    dms.start("resume-processing")
    wait_for(lambda: dms.described()["Status"] == "running", "the task to resume")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"TargetMetadata": {"BatchApplyEnabled": True}}, "TargetMetadata.BatchApplyEnabled"),
        ({"TargetMetadata": {"LobMaximum": 1}}, "TargetMetadata.LobMaximum"),
        ({"Extra": {}}, "Extra"),
        ({"ValidationSettings": {"EnableValidation": True}}, "ValidationSettings.EnableValidation"),
    ],
)
def test_a_task_setting_that_is_not_emulated_is_refused_by_name(dms: Dms, settings: Any, named: str) -> None:
    with pytest.raises(DmsFault, match=named) as fault:
        dms.call("ModifyReplicationTask", ReplicationTaskArn=dms.task, ReplicationTaskSettings=json.dumps(settings))
    assert fault.value.code == "InvalidParameterValueException"


def test_unknown_parameters_actions_and_engines_are_refused(dms: Dms) -> None:
    with pytest.raises(DmsFault, match="Surprise"):
        dms.call("DescribeEndpoints", Surprise=1)
    with pytest.raises(DmsFault, match="UnknownOperation"):
        dms.call("MakeCoffee")
    with pytest.raises(DmsFault, match="DescribeCertificates is not emulated"):
        dms.call("DescribeCertificates")
    with pytest.raises(DmsFault, match="'oracle'"):
        dms.call("CreateEndpoint", EndpointIdentifier="m", EndpointType="source", EngineName="oracle")
    with pytest.raises(DmsFault, match=r"S3Settings\.GlueCatalogGeneration"):
        dms.call("ModifyEndpoint", EndpointArn=dms.target, S3Settings={"GlueCatalogGeneration": True})
    with pytest.raises(DmsFault) as fault:
        dms.call(
            "CreateReplicationInstance",
            ReplicationInstanceIdentifier="replicator",
            ReplicationInstanceClass="dms.t3.medium",
        )
    assert fault.value.code == "ResourceAlreadyExistsFault"


def test_passwords_are_not_shown(dms: Dms) -> None:
    assert '"dms"' not in json.dumps([e.get("Password") for e in dms.call("DescribeEndpoints")["Endpoints"]])
