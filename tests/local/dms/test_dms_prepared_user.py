"""A task loads and follows as the user that preparation makes, who may do nothing else."""

from __future__ import annotations

from typing import Any

import pymysql
import pytest

from catchment.engines.connection import query_of
from catchment.engines.mysql import preflight, preparation
from catchment.engines.readiness import Level, Wanted, WantedTable, take, undo, undo_of


def test_a_mysql_source_is_read_as_the_user_that_was_made(mysql_shop: Any, mysql_task: Any) -> None:
    mysql_shop.run("CREATE TABLE orders (id int PRIMARY KEY, note text)", "INSERT INTO orders VALUES (1, 'a')")
    query = query_of(mysql_shop.connection)
    table = WantedTable(schema=mysql_shop.name, name="orders", key=["id"])
    wanted = Wanted(tables=[table], lob_max_kb=32, outage_hours=24, user="reader", encrypted=False)
    steps = preparation.plan(query, wanted)
    take(query, steps, "secret")
    try:
        assert [each for each in preflight.findings(query, wanted) if each.level is Level.BLOCKS] == []
        mysql_task.plan["source"] |= {"Username": "reader", "Password": "secret"}
        mysql_task.start()
        mysql_task.wait_loaded()
        mysql_shop.run("UPDATE orders SET note = 'b'", "INSERT INTO orders VALUES (2, 'c')", "DELETE FROM orders")
        mysql_task.wait_caught_up()
        name = f"{mysql_shop.name}.orders"
        assert [row["note"] for row in mysql_task.loaded(name)] == ["a"]
        assert [(row["Op"], row["id"]) for row in mysql_task.changes(name)] == [("U", 1), ("I", 2), ("D", 1), ("D", 2)]
        server = mysql_shop.server
        with pymysql.connect(
            host=server.host, port=server.port, user="reader", password="secret", ssl_disabled=True
        ) as theirs, theirs.cursor() as cursor:  # fmt: skip
            for refused in (f"DELETE FROM {name}", f"CREATE TABLE {mysql_shop.name}.t (i int)", "CREATE USER x"):
                with pytest.raises(pymysql.MySQLError):
                    cursor.execute(refused)
    finally:
        mysql_task.stop()
        undo(query, undo_of(steps))
