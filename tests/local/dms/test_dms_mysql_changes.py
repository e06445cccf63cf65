"""Changes of a real MariaDB as rows of landing files: keys, collations, definitions, what the log leaves out."""

from __future__ import annotations

import json
from typing import Any

import pymysql
import pytest

from local.dms.policies import TaskFailed

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, status varchar(20))"


def ops(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [(row["Op"], *(row[column] for column in columns)) for row in rows]


def columns_of(row: dict[str, Any]) -> list[str]:
    return [name for name in row if not name.startswith(("Op", "dms_", "BI_"))]


def test_a_key_of_other_bytes_is_another_key_though_the_index_says_equal(mysql_shop: Any, mysql_replay: Any) -> None:
    collation = "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
    mysql_shop.run(
        f"CREATE TABLE codes (code varchar(20) {collation}, n int, note int, PRIMARY KEY (n, code))",
        "INSERT INTO codes VALUES ('a', 1, 0), ('é', 2, 0), ('x', 3, 0)",
    )
    mysql_replay.begin()
    mysql_shop.run(
        "UPDATE codes SET code = 'A' WHERE code = 'a'",
        "UPDATE codes SET code = 'e' WHERE n = 2",
        "UPDATE codes SET code = 'x  ' WHERE n = 3",
        "UPDATE codes SET note = 1 WHERE code = 'a'",
        "UPDATE codes SET code = 'a' WHERE code = 'a'",
    )
    mysql_replay.finish()
    rows = mysql_replay.rows(f"{mysql_shop.name}.codes")
    assert columns_of(rows[0]) == ["code", "n", "note"]
    assert ops(rows, "code", "n", "BI_code", "BI_n") == [
        ("U", "A", 1, "a", 1),
        ("U", "e", 2, "é", 2),
        ("U", "x  ", 3, "x", 3),
        ("U", "A", 1, None, None),
        ("U", "a", 1, "A", 1),
    ]


def test_keys_that_swap_follow_each_other(mysql_shop: Any, mysql_replay: Any) -> None:
    mysql_shop.run("CREATE TABLE t (id binary(2) PRIMARY KEY)", "INSERT INTO t VALUES (x'0100'), (x'0200')")
    mysql_replay.begin()
    mysql_shop.run(
        "BEGIN",
        "UPDATE t SET id = x'0900' WHERE id = x'0100'",
        "UPDATE t SET id = x'0100' WHERE id = x'0200'",
        "UPDATE t SET id = x'0200' WHERE id = x'0900'",
        "COMMIT",
    )
    mysql_replay.finish()
    rows = mysql_replay.rows(f"{mysql_shop.name}.t")
    assert [(row["BI_id"][0], row["id"][0]) for row in rows] == [(1, 9), (2, 1), (9, 2)]
    assert {len(row["id"]) for row in rows} == {2}
    assert len({row["dms_ts"] for row in rows}) == 1


def test_a_table_without_a_key_sends_whole_rows(mysql_shop: Any, mysql_replay: Any) -> None:
    mysql_shop.run("CREATE TABLE events (kind varchar(9), body mediumtext)", "INSERT INTO events VALUES ('a', 'x')")
    mysql_replay.begin()
    mysql_shop.run("INSERT INTO events VALUES ('b', 'y')", "UPDATE events SET kind = 'c'", "DELETE FROM events LIMIT 1")
    mysql_replay.finish()
    rows = mysql_replay.rows(f"{mysql_shop.name}.events")
    # large objects need a key to be looked up by
    assert ops(rows, "kind", "body") == [("I", "b", None), ("U", "c", None), ("U", "c", None), ("D", "c", None)]
    assert not [name for name in rows[0] if name.startswith("BI_")]


def test_generated_and_invisible_columns_are_left_out(mysql_shop: Any, mysql_replay: Any) -> None:
    mysql_shop.run(
        "CREATE TABLE t (a int, s int AS (a + 1) STORED, v int AS (a + 2) VIRTUAL, i int INVISIBLE DEFAULT 7, id int"
        " PRIMARY KEY)",
        "INSERT INTO t (id, a) VALUES (1, 1)",
    )
    mysql_replay.begin()
    name = f"{mysql_shop.name}.t"
    mysql_replay.load(name)
    mysql_shop.run("INSERT INTO t (id, a) VALUES (2, 2)", "UPDATE t SET a = 5 WHERE id = 1")
    mysql_replay.finish()
    assert [c.name for c in mysql_replay.tables[name].shape.columns] == ["a", "id"]
    rows = mysql_replay.rows(name)
    assert columns_of(rows[0]) == ["a", "id"]
    assert ops(rows, "a", "id") == [("I", 2, 2), ("U", 5, 1)]


def test_a_changed_table_begins_a_new_file_even_when_it_is_read_late(mysql_shop: Any, mysql_replay: Any) -> None:
    mysql_shop.run("CREATE TABLE t (id int PRIMARY KEY, gone int, e enum('a'))", "INSERT INTO t VALUES (1, 1, 'a')")
    mysql_replay.begin()
    mysql_shop.run(
        "UPDATE t SET gone = 2",
        "ALTER TABLE t ADD COLUMN extra varchar(5) DEFAULT 'web' FIRST, MODIFY e enum('b', 'a')",
        "UPDATE t SET extra = 'x'",
        "ALTER TABLE t DROP COLUMN gone, MODIFY id bigint",
        "UPDATE t SET e = 'b'",
    )
    mysql_replay.finish()
    assert len(mysql_replay.files(f"{mysql_shop.name}.t")) == 3
    rows = mysql_replay.rows(f"{mysql_shop.name}.t")
    assert [columns_of(row) for row in rows] == [
        ["id", "gone", "e"],
        ["extra", "id", "gone", "e"],
        ["extra", "id", "e"],
    ]
    assert [row["e"] for row in rows] == ["a", "a", "b"]
    assert mysql_replay.lines[f"{mysql_shop.name}.t"].ddls == 2


@pytest.mark.parametrize("mode", ["silent", "delete", "fail"])
@pytest.mark.parametrize("seen_before", [True, False])
def test_truncate_does_what_the_task_settings_say(
    mysql_shop: Any, mysql_replay: Any, mode: str, seen_before: bool
) -> None:
    mysql_shop.run(ORDERS, "CREATE TABLE other (id int PRIMARY KEY)")
    mysql_replay.plan["settings"] = json.dumps(
        {
            "ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableTruncated": mode == "delete"},
            "ErrorBehavior": {"ApplyErrorFailOnTruncationDdl": mode == "fail"},
        }
    )
    mysql_replay.begin()
    name = f"{mysql_shop.name}.orders"
    before = [("I", 1)] if seen_before else []
    mysql_shop.run(*["INSERT INTO orders VALUES (1, 'a')"] * seen_before, "TRUNCATE other")
    if mode == "fail":
        mysql_shop.run("TRUNCATE TABLE orders")
        with pytest.raises(TaskFailed, match="other was truncated"):
            mysql_replay.feed()
        return
    mysql_shop.run(f"truncate table `{mysql_shop.name}`.`orders` /* all */", "INSERT INTO orders VALUES (2, 'b')")
    mysql_replay.finish()
    assert ops(mysql_replay.rows(name), "id") == ([] if mode == "delete" else before) + [("I", 2)]
    assert mysql_replay.lines[name].ddls == 1


@pytest.mark.parametrize("handled", [True, False])
def test_a_dropped_table_does_what_the_task_settings_say(mysql_shop: Any, mysql_replay: Any, handled: bool) -> None:
    mysql_shop.run(ORDERS, "CREATE TABLE kept (id int PRIMARY KEY)")
    policy = {"HandleSourceTableDropped": handled}
    mysql_replay.plan["settings"] = json.dumps({"ChangeProcessingDdlHandlingPolicy": policy})
    mysql_replay.begin()
    mysql_shop.run("INSERT INTO orders VALUES (1, 'a')", "INSERT INTO kept VALUES (1)")
    mysql_replay.finish()
    mysql_shop.run("DROP TABLE IF EXISTS nowhere, orders", ORDERS, "INSERT INTO orders VALUES (2, 'b')")
    mysql_replay.finish()
    found = ops(mysql_replay.rows(f"{mysql_shop.name}.orders"), "id")
    assert found == ([("I", 2)] if handled else [("I", 1), ("I", 2)])
    assert ops(mysql_replay.rows(f"{mysql_shop.name}.kept"), "id") == [("I", 1)]


def test_a_row_logged_in_part_suspends_its_table_and_no_other(mysql_shop: Any, mysql_replay: Any) -> None:
    mysql_shop.run(ORDERS, "CREATE TABLE good (id int PRIMARY KEY)", "INSERT INTO orders VALUES (1, 'a')")
    mysql_replay.begin()
    with mysql_shop.server.administer() as admin, admin.cursor() as cursor:
        cursor.execute("SET SESSION binlog_row_image = 'MINIMAL'")
        cursor.execute(f"UPDATE {mysql_shop.name}.orders SET status = 'b'")
    mysql_shop.run("INSERT INTO orders VALUES (2, 'c')", "INSERT INTO good VALUES (1)")
    mysql_replay.finish()
    line = mysql_replay.lines[f"{mysql_shop.name}.orders"]
    assert (line.state, "binlog_row_image" in line.message) == ("Table error", True)
    assert mysql_replay.rows(f"{mysql_shop.name}.orders") == []
    assert ops(mysql_replay.rows(f"{mysql_shop.name}.good"), "id") == [("I", 1)]


def test_commits_logged_out_of_the_order_of_their_times_keep_their_order(mysql_shop: Any, mysql_replay: Any) -> None:
    mysql_shop.run(ORDERS)
    mysql_replay.begin()
    with mysql_shop.server.administer() as admin, admin.cursor() as cursor:
        for moment in (2000000000, 1999999000, 2000000001):
            cursor.execute(f"SET timestamp = {moment}")
            cursor.execute(f"INSERT INTO {mysql_shop.name}.orders VALUES ({moment - 1999990000}, 'x')")
    mysql_replay.finish()
    rows = mysql_replay.rows(f"{mysql_shop.name}.orders")
    assert [row["dms_ts"][-12:-7] for row in rows] == ["33:20", "16:40", "33:21"]
    assert [row["dms_seq"] for row in rows] == sorted(row["dms_seq"] for row in rows)


def test_what_a_session_that_was_rolled_back_did_leaves_nothing(mysql_shop: Any, mysql_replay: Any) -> None:
    mysql_shop.run(ORDERS)
    mysql_replay.begin()
    mysql_shop.run("BEGIN", "INSERT INTO orders VALUES (1, 'x')", "ROLLBACK", "INSERT INTO orders VALUES (2, 'x')")
    with pytest.raises(pymysql.IntegrityError):
        mysql_shop.run("INSERT INTO orders VALUES (3, 'x'), (2, 'twice')")
    mysql_replay.finish()
    assert ops(mysql_replay.rows(f"{mysql_shop.name}.orders"), "id") == [("I", 2)]


def test_the_next_log_is_read_on(mysql_shop: Any, mysql_replay: Any) -> None:
    mysql_shop.run(ORDERS)
    mysql_replay.begin()
    mysql_shop.run("INSERT INTO orders VALUES (1, 'x')", "FLUSH BINARY LOGS", "INSERT INTO orders VALUES (2, 'x')")
    mysql_shop.run("FLUSH BINARY LOGS")
    fence = mysql_shop.fence()
    mysql_replay.finish()
    assert ops(mysql_replay.rows(f"{mysql_shop.name}.orders"), "id") == [("I", 1), ("I", 2)]
    assert mysql_replay.writer.safe_position().lsn >= fence
