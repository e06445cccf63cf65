"""A task over a real MariaDB: what its files hold, and how it goes on, comes to an end, and refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

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
