"""A task process from start to stop: full load, changes, stop, resume, crash."""

from __future__ import annotations

from typing import Any

ORDERS = "CREATE TABLE shop.orders (id int PRIMARY KEY, status varchar(20), total numeric(12,2), note varchar(50))"


def test_full_load_and_changes_come_as_files_in_order(shop: Any, task: Any) -> None:
    shop.run(ORDERS, "INSERT INTO shop.orders VALUES (1,'new',10,'gift'), (2,'new',20.50,NULL)")
    task.start()
    task.wait_loaded()
    shop.run("UPDATE shop.orders SET id = 30 WHERE id = 2", "DELETE FROM shop.orders WHERE id = 1")
    task.wait_caught_up()
    loaded = task.loaded("shop.orders")
    assert [(row["Op"], row["id"], row["dms_seq"], row["BI_id"]) for row in loaded] == [
        ("I", 1, "", None),
        ("I", 2, "", None),
    ]
    changes = task.changes("shop.orders")
    assert [(row["Op"], row["id"], row["status"], row["BI_id"]) for row in changes] == [
        ("U", 30, "new", 2),
        ("D", 1, None, None),
    ]
    assert [int(row["dms_seq"][16:]) for row in changes] == [61, 73]
    status = task.stop()
    assert (status.state, status.stop_reason) == ("stopped", "NORMAL")
