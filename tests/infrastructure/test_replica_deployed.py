"""Slow: PostgreSQL is replicated to MySQL by what is deployed; a server that dies delays the replica alone.

Scope: every stack of the laptop's environment with a replica on the local AWS, with a real PostgreSQL as the source and
a real MariaDB in place of RDS for MySQL.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pymysql
import pytest

from catchment.cli.app import run
from catchment.engines.trust import Trust
from catchment.landing.duck import open_duckdb
from catchment.landing.names import TableName
from catchment.reconcile.lake import lake_table
from catchment.reconcile.replica import replica_table
from catchment.reconcile.source import one_moment
from catchment.reconcile.tables import TargetSide, reconcile_table
from catchment.settings import Settings, load_settings
from catchment.sinks.replica import open_replica, replica_url
from local.aws import LocalAws, deploy
from local.source.mariadb import EmbeddedMariaDb
from local.source.on_postgresql import PostgresDatabase
from local.source.workload import Workload
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly
from tests.infrastructure.test_task_deployed import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def with_replica(settings: Settings, **more: Any) -> Settings:
    """The settings with a replica in RDS for MySQL."""
    said = settings.model_dump(exclude_unset=True)
    replica = {"source": "sales", "engine": "mysql", "database": "shop", "rds": said["sources"]["sales"]["rds"]}
    return Settings.model_validate({**said, "replica": {**replica, **more}})


SETTINGS = with_replica(load_settings(CDK_JSON, "laptop"))


NOT_ALL_HELD = "hard.every_type"
"""MySQL has no NaN, no infinities and no 37 decimal places: rows with such values are in quarantine."""


LOADED = 40
"""Rows of it."""


class Estate:
    """What is deployed, its source, its lake and its replica."""

    def __init__(self, aws: LocalAws, assembly: Path, scratch: Path) -> None:
        self.aws, self._scratch = aws, scratch
        self.outputs: dict[str, str] = {}
        self._deploy(assembly, ["Network", "Lake", "Sources"])
        login = self.login("salesSecretArn")
        names = {"host": "host", "port": "port", "user": "username", "password": "password", "dbname": "dbname"}
        self.source = PostgresDatabase(" ".join(f"{name}={login[key]}" for name, key in names.items()))
        self.source.seed(2000, 7)
        self._deploy(assembly, ["Apply", "Replica", "Replication", "Monitoring"])

    def login(self, output: str) -> dict[str, Any]:
        secret = self.aws.client("secretsmanager").get_secret_value(SecretId=self.outputs[output])
        return dict(json.loads(secret["SecretString"]))

    def behind(self, *, replica: bool) -> list[str]:
        """The tables in which the lake, or the replica, is not what the source is."""
        database = open_replica(replica_url("mysql", self.login("ReplicaSecretArn"), "shop", Path("none.pem")))
        lake = self.aws.folder / "s3" / self.outputs["SilverBucket"] / "sales"
        login, found = self.login("salesSecretArn"), []
        with closing(database), one_moment("postgresql", login, login["dbname"], Trust()) as source:
            for name, table in SETTINGS.sources["sales"].tables.items():
                if replica and name == NOT_ALL_HELD:
                    continue
                schema, _, of_table = name.partition(".")
                side: TargetSide = lake_table(lake / schema / of_table)
                if replica:
                    side = replica_table(database, TableName(schema, of_table), self._scratch)
                with closing(open_duckdb(self._scratch, 512, 1)) as con:
                    verdict = reconcile_table(
                        con, source, side, schema=schema, table=of_table, key=table.key, scratch=self._scratch
                    )
                if verdict.missing or verdict.extra or verdict.different or not side.columns:
                    found.append(name)
        return found

    def held(self) -> tuple[int, int]:
        """The rows of the table with values that MySQL has not, in the replica and in quarantine."""
        login = self.login("ReplicaSecretArn")
        with closing(
            pymysql.connect(
                host=login["host"], port=int(login["port"]), user=login["username"], password=login["password"]
            )
        ) as con:
            cursor = con.cursor()
            if not cursor.execute("SHOW TABLES FROM shop LIKE 'every_type'"):
                return 0, 0
            cursor.execute("SELECT count(*) FROM shop.every_type")
            [there] = cursor.fetchone()
        bad = self.aws.folder / "s3" / self.outputs["QuarantineBucket"] / "_replica/sales/hard/every_type"
        return int(there), sum(len(path.read_text().splitlines()) for path in bad.iterdir())

    def depth(self, output: str) -> int:
        """Messages in a queue, those that are being worked on included."""
        said = self.aws.client("sqs").get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=["All"])
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(said["Attributes"][name]) for name in names)

    def _deploy(self, assembly: Path, stacks: list[str]) -> None:
        for outputs in deploy(self.aws, assembly, stacks=stacks).values():
            self.outputs |= outputs


@pytest.fixture
def estate(tmp_path: Path, synthesized: Callable[[Settings], Assembly]) -> Iterator[Estate]:
    with LocalAws.start(tmp_path / "aws") as aws:
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        yield Estate(aws, synthesized(SETTINGS).folder, scratch)


@pytest.fixture
def in_the_apps_folder(estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the settings, and the local AWS."""
    document = json.loads(CDK_JSON.read_text())
    document["context"]["environments"]["laptop"]["replica"] = SETTINGS.model_dump(exclude_unset=True)["replica"]
    (tmp_path / "cdk.json").write_text(json.dumps(document))
    monkeypatch.chdir(tmp_path)
    for name, value in estate.aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def test_postgresql_is_replicated_to_mysql_and_a_dead_server_delays_nobody_else(
    estate: Estate, in_the_apps_folder: None, capsys: pytest.CaptureFixture[str]
) -> None:
    until(lambda: not estate.behind(replica=True), seconds=120)
    until(lambda: sum(estate.held()) == LOADED)
    assert all(estate.held())

    validate = ["validate", "sales", "--env", "laptop", "--replica", "--rows", "1", "--table"]
    assert run([*validate, "sales.clients"]) == 0
    assert run([*validate, NOT_ALL_HELD]) == 1
    capsys.readouterr()
    assert run(["connect", "replica", "--env", "laptop", "--tool", "python", "--with-password"]) == 0
    asked = "cursor = connection.cursor()\ncursor.execute('SELECT count(*) FROM clients')\nprint(cursor.fetchone()[0])"
    script = f"{capsys.readouterr().out}{asked}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0

    [pid_file] = estate.aws.folder.rglob("mariadb.pid")
    port = int(estate.login("ReplicaSecretArn")["port"])
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    Workload(estate.source, rate=300, seconds=3, seed=7, truncates=False).run(Event())
    until(lambda: not estate.behind(replica=False), seconds=120)
    assert estate.depth("ReplicaQueueUrl") > 0
    assert estate.depth("DeadLetterUrl") == 0

    login = estate.login("ReplicaSecretArn")
    with EmbeddedMariaDb.start(
        pid_file.parents[1], parameters={}, user=login["username"], password=login["password"], port=port
    ):
        # what the events said comes back when its time is over; the sweep does not wait for that
        estate.aws.client("lambda").invoke(FunctionName=estate.outputs["ReplicaSweepFunction"], Payload=b"{}")
        until(lambda: not estate.behind(replica=True), seconds=120)
        assert estate.depth("ReplicaDeadLetterUrl") == 0
