"""A task over a real MariaDB: what its files hold, and how it goes on, comes to an end, and refuses."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from catchment.cli.apply import apply
from local.dms.faults import DmsFault
from local.dms.policies import TaskFailed
from local.dms.service import DmsService
from local.dms.sources import KINDS
from local.dms.state import Position
from local.source.mariadb import EmbeddedMariaDb
from local.source.mariadb_programs import supported
from tests.local.dms.conftest import MySqlReplay, MySqlShop
from tests.local.dms.test_dms_service import Dms

pytestmark = pytest.mark.skipif(not supported(), reason="no MariaDB is built for this machine")

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, status varchar(20), total decimal(12,2), note varchar(50))"


def ops(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [(row["Op"], *(row[column] for column in columns)) for row in rows]


def test_load_and_changes_are_those_of_a_mysql_source(mysql_shop: Any, mysql_task: Any) -> None:
    mysql_shop.run(ORDERS, "INSERT INTO orders VALUES (1, 'new', 10, 'gift'), (2, 'new', 20.5, NULL)")
    mysql_task.start()
    mysql_task.wait_loaded()
    mysql_shop.run(
        "INSERT INTO orders VALUES (3, 'new', 5, NULL)",
        "UPDATE orders SET id = 30 WHERE id = 3",
        "BEGIN",
        "UPDATE orders SET status = 'picked' WHERE id = 2",
        "SAVEPOINT s",
        "DELETE FROM orders WHERE id = 2",
        "ROLLBACK TO SAVEPOINT s",
        "UPDATE orders SET status = 'sent', total = 21 WHERE id = 2",
        "COMMIT",
        "BEGIN",
        "UPDATE orders SET total = 0",
        "ROLLBACK",
        "DELETE FROM orders WHERE id = 1",
    )
    mysql_task.wait_caught_up()
    name = f"{mysql_shop.name}.orders"
    assert ops(mysql_task.loaded(name), "id", "note", "dms_seq") == [("I", 1, "gift", ""), ("I", 2, None, "")]
    rows = mysql_task.changes(name)
    assert list(rows[0]) == ["Op", "dms_ts", "id", "status", "total", "note", "dms_seq", "BI_id"]
    assert ops(rows, "id", "status", "total", "note", "BI_id") == [
        ("I", 3, "new", Decimal("5.00"), None, None),
        ("U", 30, "new", Decimal("5.00"), None, 3),
        ("U", 2, "picked", Decimal("20.50"), None, None),
        ("U", 2, "sent", Decimal("21.00"), None, None),
        ("D", 1, "new", Decimal("10.00"), "gift", None),
    ]
    # commit times are whole seconds, in the change sequence too
    assert {row["dms_ts"][-7:] for row in rows} == {".000000"}
    assert [row["dms_seq"][14:16] for row in rows] == ["00"] * 5
    assert [int(row["dms_seq"][16:]) for row in rows] == [61, 73, 85, 89, 101]
    assert mysql_task.stop().state == "stopped"


ITEMS = """
CREATE TABLE items (
  code varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, place tinyint unsigned, n bigint unsigned,
  price decimal(12,2), moment datetime(6), day date, flag bit(1), clock time, word enum('a','b'), words text, raw blob,
  PRIMARY KEY (code, place))"""
ITEM = "concat('k', seq), seq % 200, 18446744073709551615 - seq, seq / 7, '2026-03-01 09:05:10.000001' + INTERVAL seq"
ITEM += " MINUTE, '2026-03-01', seq % 2, '-12:00:01', if(seq % 2, 'a', 'b'), repeat('x', 300), x'00ff'"


def change_all_the_time(shop: Any, over: threading.Event) -> None:
    """New rows, keys that change, also by their case alone, rows that go, a definition that changes."""
    with shop.server.connect(shop.name) as connection, connection.cursor() as cursor:
        number = 0
        while not over.is_set():
            number += 1
            first = 1000 + number * 100
            cursor.execute(f"INSERT INTO items SELECT {ITEM} {', 1' * (number > 5)} FROM seq_{first}_to_{first + 59}")
            cursor.execute("UPDATE items SET n = n - 1, moment = NULL WHERE place = %s", [number % 200])
            cursor.execute("UPDATE items SET code = upper(code) WHERE code = %s", [f"k{first}"])
            cursor.execute("UPDATE items SET code = concat(code, ' é') WHERE code = %s", [f"k{first + 1}"])
            cursor.execute("DELETE FROM items WHERE code = %s", [f"k{first + 2}"])
            if number == 5:
                cursor.execute("ALTER TABLE items ADD COLUMN extra int")
            over.wait(0.02)


def applied(task: Any, table: str, tables: str) -> list[dict[str, Any]]:
    """The table that ``catchment apply`` makes of the files."""
    folder: Path = task.folder
    (folder / "tables.yaml").write_text(
        f"landing: {{timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}}\ntables: {tables}"
    )
    code = apply(
        str(task.landing / "sales"),
        str(folder / "lake"),
        folder / "tables.yaml",
        quarantine=None,
        only=(),
        json_to=str(folder / "account.json"),
    )
    assert code == 0, (folder / "account.json").read_text()
    rows = DeltaTable(folder / "lake" / table.replace(".", "/")).to_pyarrow_table().to_pylist()
    return [{name: value for name, value in row.items() if not name.startswith("_catchment_")} for row in rows]


def as_delta(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the source with the values that the lake has for them."""
    moment = row["moment"]
    return {
        **row,
        "n": Decimal(row["n"]),
        "flag": row["flag"] == b"\x01",
        "clock": "-12:00:01",
        "moment": moment and moment.replace(tzinfo=dt.UTC),
    }


@pytest.mark.slow
def test_a_killed_task_goes_on_and_the_lake_equals_the_source(
    mysql_shop: Any, mysql_task: Any, wait_for: Callable[..., Any]
) -> None:
    mysql_shop.run(ITEMS, f"INSERT INTO items SELECT {ITEM} FROM seq_1_to_500")
    mysql_task.plan["s3"]["CdcMinFileSize"] = 20
    mysql_task.start()
    mysql_task.wait_loaded()
    name = f"{mysql_shop.name}.items"
    over = threading.Event()
    writer = threading.Thread(target=change_all_the_time, args=(mysql_shop, over))
    writer.start()
    try:
        scratch = mysql_task.folder / "state" / "scratch"
        for _ in range(2):
            files = len(mysql_task.files(name))
            wait_for(lambda seen=files: len(mysql_task.files(name)) > seen + 2, "files")
            wait_for(lambda: any(scratch.iterdir()), "a file being written")
            mysql_task.kill()
            mysql_task.start(resume=True)
    finally:
        over.set()
        writer.join()
    mysql_task.wait_caught_up()
    assert mysql_task.stop().state == "stopped", mysql_task.log()
    sequences: dict[str, dict[str, Any]] = {}
    for row in mysql_task.changes(name):
        assert sequences.setdefault(row["dms_seq"], row) == row, "one sequence for two changes"

    lake = applied(mysql_task, name, f"{{{name}: {{key: [code, place]}}}}")
    columns = [row[0] for row in mysql_shop.rows("SHOW COLUMNS FROM items")]
    source = [as_delta(dict(zip(columns, row, strict=True))) for row in mysql_shop.rows("SELECT * FROM items")]

    def key(row: dict[str, Any]) -> tuple[str, int]:
        return row["code"], row["place"]

    assert sorted(lake, key=key) == sorted(source, key=key)


def test_a_task_may_load_only_and_then_follow_changes_only(
    mysql_shop: Any, mysql_task: Any, wait_for: Callable[..., Any]
) -> None:
    mysql_shop.run(ORDERS, "INSERT INTO orders (id) VALUES (1)", "CREATE TABLE odd (id int PRIMARY KEY, b bit(7))")
    mysql_task.plan["kind"] = "full-load"
    mysql_task.start()
    wait_for(lambda: mysql_task.status().state == "stopped", "the end of the load")
    assert mysql_task.status().stop_reason == "FULL_LOAD_ONLY_FINISHED"
    odd = mysql_task.status().tables[f"{mysql_shop.name}.odd"]
    assert (odd.state, "bit(7)" in odd.message) == ("Table error", True)
    mysql_task.stop()
    mysql_task.plan["kind"] = "cdc"
    mysql_task.start()
    wait_for(lambda: mysql_task.status().position, "the stream")
    mysql_shop.run("INSERT INTO odd VALUES (1, 1)", "INSERT INTO orders (id) VALUES (2)")
    mysql_task.wait_caught_up()
    mysql_task.stop()
    name = f"{mysql_shop.name}.orders"
    assert [row["id"] for row in mysql_task.loaded(name)] == [1]
    assert [row["id"] for row in mysql_task.changes(name)] == [2]
    assert mysql_task.status().tables[f"{mysql_shop.name}.odd"].state == "Table error"


@pytest.mark.parametrize(("snapshot", "seen"), [("slot", [1]), ("table", [1, 2])])
def test_what_is_changed_while_tables_load_comes_as_a_change(
    mysql_shop: Any, mysql_replay: Any, snapshot: str, seen: list[int]
) -> None:
    mysql_shop.run(ORDERS, "INSERT INTO orders (id) VALUES (1)")
    mysql_replay.plan["behaviour"] = {"load_snapshot": snapshot}
    mysql_replay.begin()
    source, orders = mysql_replay.source, mysql_replay.tables[f"{mysql_shop.name}.orders"]
    start = source.begin([orders])
    mysql_shop.run("INSERT INTO orders (id) VALUES (2)")
    loaded: list[str] = []
    with source.loading(first=True) as reader:
        reader.rows(orders, None, None, lambda columns: loaded.extend(columns[0].to_pylist()))
    assert list(map(int, loaded)) == seen
    mysql_replay.finish()
    assert start == mysql_replay.start
    assert ops(mysql_replay.rows(f"{mysql_shop.name}.orders"), "id") == [("I", 2)]


@pytest.mark.slow
def test_logs_of_several_lives_of_a_server_are_read_one_after_the_other(tmp_path: Path) -> None:
    def server() -> EmbeddedMariaDb:
        return EmbeddedMariaDb.start(tmp_path / "db", parameters={}, user="owner", password="owner", database="shop")

    with server() as first:
        shop = MySqlShop(first, "shop")
        shop.run("CREATE TABLE t (id int PRIMARY KEY)")
        start = shop.fence()
        shop.connection.close()
    with server() as second:
        shop = MySqlShop(second, "shop")
        shop.run("INSERT INTO t VALUES (1)", "ALTER TABLE t ADD COLUMN a varchar(9) FIRST")
        shop.connection.close()
    with server() as third:
        # the log has the same number for the table as in the life before, though it is another table by now
        shop = MySqlShop(third, "shop")
        shop.run("INSERT INTO t VALUES ('y', 2)")
        replay = MySqlReplay(shop, tmp_path / "replay")
        replay.start = start
        try:
            replay.begin()
            replay.finish()
        finally:
            replay.close()
            shop.connection.close()
    rows = replay.rows("shop.t")
    assert [(row["id"], row.get("a")) for row in rows] == [(1, None), (2, "y")]


@contextmanager
def parameter(server: Any, name: str, value: str) -> Iterator[None]:
    [(before,)] = _rows(server, f"SELECT @@global.{name}")
    server.apply({name: value})
    try:
        yield
    finally:
        server.apply({name: before})


def _rows(server: Any, query: str) -> list[tuple[Any, ...]]:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def hang_up(cursor: Any) -> None:
    """End every reader of the log."""
    cursor.execute("SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'")
    for (number,) in cursor.fetchall():
        cursor.execute(f"KILL {number}")


def read_for_ever(changes: Any, writer: Any) -> None:
    while True:
        changes.read(writer)


@pytest.mark.parametrize(
    ("name", "value"),
    [("binlog_format", "STATEMENT"), ("binlog_row_image", "MINIMAL"), ("binlog_row_metadata", "MINIMAL")],
)
def test_a_log_that_dms_cannot_read_fails_the_task_at_its_start(
    mysql_shop: Any, mysql_replay: Any, name: str, value: str
) -> None:
    mysql_shop.run(ORDERS)
    with parameter(mysql_shop.server, name, value), pytest.raises(TaskFailed, match=name):
        mysql_replay.begin()


def test_a_log_that_was_purged_fails_the_task_with_the_servers_words(
    mysql_shop: Any, mysql_replay: Any, wait_for: Callable[..., Any]
) -> None:
    mysql_shop.run(ORDERS)
    mysql_replay.begin()
    start = mysql_replay.writer.position
    mysql_shop.run("INSERT INTO orders (id) VALUES (1)", "FLUSH BINARY LOGS")
    mysql_replay.finish()
    mysql_replay.changes.close()
    [(last, *_)] = mysql_shop.rows("SHOW MASTER STATUS")
    with mysql_shop.server.administer() as admin, admin.cursor() as cursor:
        hang_up(cursor)

        def purge() -> bool:
            # a log that somebody reads still stays
            cursor.execute("PURGE BINARY LOGS TO %s", [last])
            return bool(mysql_shop.rows("SHOW BINARY LOGS")[0][0] == last)

        wait_for(purge, "the logs to go")
    changes = mysql_replay.source.changes(Position(start.lsn, start.counter))
    try:
        with pytest.raises(TaskFailed, match=r"1236.*no longer in the log"):
            read_for_ever(changes, mysql_replay.writer)
    finally:
        changes.close()


def test_a_source_that_goes_away_is_an_error_to_resume_from(mysql_shop: Any, mysql_replay: Any) -> None:
    mysql_shop.run(ORDERS)
    mysql_replay.begin()
    mysql_shop.run("INSERT INTO orders (id) VALUES (1)")
    mysql_replay.feed()
    with mysql_shop.server.administer() as admin, admin.cursor() as cursor:
        hang_up(cursor)
    with pytest.raises(KINDS["mysql"].LOST, match=r"lost|ended|gone"):
        read_for_ever(mysql_replay.changes, mysql_replay.writer)


def test_the_service_runs_a_task_over_mysql_through_its_states(
    mysql_shop: Any, tmp_path: Path, mappings: list[Any], s3: dict[str, Any], wait_for: Callable[..., Any]
) -> None:
    mysql_shop.run(ORDERS, "INSERT INTO orders (id) VALUES (1), (2)")
    rules = json.loads(json.dumps(mappings).replace('"shop"', json.dumps(mysql_shop.schema)))
    dms = Dms(mysql_shop, tmp_path, rules, s3)
    try:
        dms.test_connections(wait_for)
        dms.start()
        wait_for(lambda: dms.line().get("TableState") == "Table completed", "the full load")
        wait_for(lambda: dms.described()["Status"] == "running", "the task to run")
        mysql_shop.run("INSERT INTO orders (id) VALUES (3)", "DELETE FROM orders WHERE id = 1")
        wait_for(lambda: dms.line()["Deletes"] == 1, "the changes")
        assert (dms.line()["Inserts"], dms.line()["FullLoadRows"]) == (1, 2)
        orders = {"SchemaName": mysql_shop.schema, "TableName": "orders"}
        dms.call("ReloadTables", ReplicationTaskArn=dms.task, TablesToReload=[orders])
        wait_for(lambda: dms.line()["FullLoadReloaded"], "the reload")
        dms.call("StopReplicationTask", ReplicationTaskArn=dms.task)
        wait_for(lambda: dms.described()["Status"] == "stopped", "the task to stop")
        assert "mysql-bin-changelog.0" in dms.described()["RecoveryCheckpoint"]
        mysql_shop.run("UPDATE orders SET status = 'b'")
        dms.start("resume-processing")
        wait_for(lambda: dms.line()["Updates"] == 2, "the changes made meanwhile")
        dms.call("StopReplicationTask", ReplicationTaskArn=dms.task)
        wait_for(lambda: dms.described()["Status"] == "stopped", "the task to stop")
        dms.call("DeleteReplicationTask", ReplicationTaskArn=dms.task)
        wait_for(lambda: not dms.call("DescribeReplicationTasks")["ReplicationTasks"], "the task to go")
        dms.call("DeleteEndpoint", EndpointArn=dms.source)
    finally:
        dms.service.close()


@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"DatabaseName": "sales"}, "DatabaseName"),
        ({"MySQLSettings": {"DatabaseName": "sales"}}, "DatabaseName"),
        ({"MySQLSettings": {"ServerTimezone": "Europe/Berlin"}}, r"MySQLSettings\.ServerTimezone"),
        ({"MySQLSettings": {"AfterConnectScript": "SET x = 1"}}, r"MySQLSettings\.AfterConnectScript"),
        ({"PostgreSQLSettings": {"PluginName": "pglogical"}}, "PostgreSQLSettings"),
    ],
)
def test_an_endpoint_that_dms_would_refuse_is_refused_by_name(
    tmp_path: Path, engine: str, wrong: dict[str, Any], named: str
) -> None:
    service = DmsService(tmp_path, "", "123456789012", "us-east-1", folder_targets=tmp_path)
    said = {"ServerName": "h", "Port": 3306, "Username": "u", "Password": "p"} | wrong
    with pytest.raises(DmsFault, match=named):
        service.handle(
            "CreateEndpoint", {"EndpointIdentifier": "m", "EndpointType": "source", "EngineName": engine, **said}
        )
