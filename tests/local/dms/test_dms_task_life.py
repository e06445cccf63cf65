"""A task process that is stopped, killed, resumed, harassed: every change arrives, with one and the same sequence."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import psycopg

TABLE = "CREATE TABLE shop.t (id int PRIMARY KEY, n int, words text)"


def change_all_the_time(shop: Any, over: threading.Event) -> None:
    with psycopg.connect(shop.server.dsn(shop.name), autocommit=True) as connection:
        number = 0
        while not over.is_set():
            number += 1
            connection.execute(
                "INSERT INTO shop.t SELECT g, 0, repeat('x', 200) FROM generate_series(%s::int, %s::int) g",
                [number * 100, number * 100 + 59],
            )
            connection.execute("UPDATE shop.t SET n = n + 1 WHERE mod(id, 7) = %s", [number % 7])
            connection.execute("UPDATE shop.t SET id = -id WHERE id = %s", [number * 100])
            connection.execute("DELETE FROM shop.t WHERE id = %s", [number * 100 + 1])
            over.wait(0.02)


def rebuilt(task: Any) -> dict[int, tuple[int, str]]:
    """The table that the files describe: loads, then changes in the order of their sequence, each once."""
    rows = {row["id"]: (row["n"], row["words"]) for row in task.loaded("shop.t")}
    once: dict[str, dict[str, Any]] = {}
    for row in task.changes("shop.t"):
        known = once.setdefault(row["dms_seq"], row)
        assert known == row, "one sequence for two changes"
    for _, row in sorted(once.items()):
        if row["Op"] == "D":
            del rows[row["id"]]
            continue
        if row["BI_id"] is not None and row["BI_id"] != row["id"]:
            del rows[row["BI_id"]]
        rows[row["id"]] = (row["n"], row["words"])
    return rows


def source(shop: Any) -> dict[int, tuple[int, str]]:
    return {key: (n, words) for key, n, words in shop.rows("SELECT id, n, words FROM shop.t")}


def test_a_task_killed_in_the_middle_of_a_file_loses_nothing(
    shop: Any, task: Any, wait_for: Callable[..., Any]
) -> None:
    shop.run(TABLE, "INSERT INTO shop.t SELECT g, 0, 'w' FROM generate_series(1, 50) g")
    task.plan["s3"]["CdcMinFileSize"] = 20
    task.start()
    task.wait_loaded()
    over = threading.Event()
    writer = threading.Thread(target=change_all_the_time, args=(shop, over))
    writer.start()
    try:
        scratch = task.folder / "state" / "scratch"
        for _ in range(2):
            files = len(task.files("shop.t"))
            wait_for(lambda seen=files: len(task.files("shop.t")) > seen + 2, "files")
            wait_for(lambda: any(scratch.iterdir()), "a file being written")
            task.kill()
            task.start(resume=True)
    finally:
        over.set()
        writer.join()
    task.wait_caught_up()
    status = task.stop()
    assert status.state == "stopped", task.log()
    assert rebuilt(task) == source(shop)


def test_the_adversary_loses_nothing_and_repeats_much(shop: Any, task: Any) -> None:
    shop.run(TABLE)
    task.plan["chaos_seed"] = 3
    task.plan["s3"]["CdcMinFileSize"] = 32
    task.start()
    task.wait_loaded()
    over = threading.Event()
    threading.Timer(2.0, over.set).start()
    change_all_the_time(shop, over)
    task.wait_caught_up()
    task.stop()
    changes = task.changes("shop.t")
    assert len(changes) > len({row["dms_seq"] for row in changes}), "nothing came twice"
    assert "the stream is cut" in task.log()
    assert rebuilt(task) == source(shop)


def test_a_change_sent_again_may_have_another_sequence(shop: Any, task: Any, wait_for: Callable[..., Any]) -> None:
    shop.run(TABLE, "CREATE TABLE shop.slow (id int PRIMARY KEY, n varchar(200))")
    task.plan["behaviour"] = {"redelivered_sequence": "new"}
    task.plan["s3"].update(CdcMaxBatchInterval=30, CdcMinFileSize=1)
    task.start()
    task.wait_loaded()
    # the small change waits for its timer, and the file of the large ones is ahead of the safe position
    shop.run("INSERT INTO shop.slow VALUES (1, 'x')")
    shop.run("INSERT INTO shop.t SELECT g, 0, repeat('x', 100) FROM generate_series(1, 50) g")
    wait_for(lambda: len(task.changes("shop.t")) > 40, "the first file")
    task.kill()
    before = {row["id"]: row["dms_seq"] for row in task.changes("shop.t")}
    task.start(resume=True)
    wait_for(lambda: len(task.changes("shop.t")) >= 2 * len(before), "the file again")
    task.stop()
    again = [row for row in task.changes("shop.t") if row["dms_seq"] not in before.values()]
    assert {row["id"] for row in again} == set(range(1, 51))
    assert all(row["dms_seq"] > before[row["id"]] for row in again if row["id"] in before)


def test_a_task_killed_while_it_loads_loads_the_rest(shop: Any, task: Any, wait_for: Callable[..., Any]) -> None:
    shop.run("CREATE TABLE shop.a (id int PRIMARY KEY)", "INSERT INTO shop.a VALUES (1)", TABLE)
    shop.run("INSERT INTO shop.t SELECT g, 0, repeat('x', 500) FROM generate_series(1, 24000) g")
    task.plan["behaviour"] = {"load_file_rows": 1000}
    task.start()
    wait_for(lambda: len(task.files("shop.t")) >= 2, "some LOAD files")
    task.kill()
    shop.run("DELETE FROM shop.t WHERE id > 20000", "INSERT INTO shop.a VALUES (2)")
    task.start(resume=True)
    task.wait_loaded()
    task.wait_caught_up()
    status = task.stop()
    # loaded at its own moment now: the rows deleted before are not in it, though their deletion comes as well
    assert status.tables["shop.t"].load_rows == 20000
    assert [row["id"] for row in task.loaded("shop.a")] == [1]
    assert [row["id"] for row in task.changes("shop.a")] == [2]
    assert len([row for row in task.changes("shop.t") if row["Op"] == "D"]) == 4000


def test_a_resumed_task_takes_newly_selected_tables(shop: Any, task: Any) -> None:
    shop.run("CREATE TABLE shop.a (id int PRIMARY KEY)", "INSERT INTO shop.a VALUES (1)")
    task.start()
    task.wait_loaded()
    task.stop()
    shop.run(
        "CREATE TABLE shop.b (id int PRIMARY KEY)", "INSERT INTO shop.b VALUES (1)", "INSERT INTO shop.a VALUES (2)"
    )
    task.start(resume=True)
    task.wait_caught_up()
    shop.run("INSERT INTO shop.b VALUES (2)")
    task.wait_caught_up()
    task.stop()
    assert [row["id"] for row in task.loaded("shop.b")] == [1]
    assert [row["id"] for row in task.changes("shop.b")] == [2]
    assert [row["id"] for row in task.changes("shop.a")] == [2]


def test_a_task_may_load_only_or_follow_changes_only(shop: Any, task: Any, wait_for: Callable[..., Any]) -> None:
    shop.run("CREATE TABLE shop.a (id int PRIMARY KEY)", "INSERT INTO shop.a VALUES (1)")
    task.plan["kind"] = "full-load"
    task.start()
    wait_for(lambda: task.status().state == "stopped", "the end of the load")
    assert task.status().stop_reason == "FULL_LOAD_ONLY_FINISHED"
    assert not shop.rows("SELECT 1 FROM pg_replication_slots WHERE database = current_database()")
    task.stop()
    task.plan["kind"] = "cdc"
    task.start()
    wait_for(lambda: shop.confirmed(task.slot), "the slot")
    shop.run("INSERT INTO shop.a VALUES (2)")
    task.wait_caught_up()
    task.stop()
    assert [row["id"] for row in task.changes("shop.a")] == [2]
    assert [row["id"] for row in task.loaded("shop.a")] == [1]


def test_a_truncated_table_fails_the_task_loudly(shop: Any, task: Any, wait_for: Callable[..., Any]) -> None:
    shop.run("CREATE TABLE shop.a (id int PRIMARY KEY)", "INSERT INTO shop.a VALUES (1)")
    task.plan["settings"] = json.dumps(
        {
            "ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableTruncated": False},
            "ErrorBehavior": {"ApplyErrorFailOnTruncationDdl": True},
        }
    )
    task.start()
    task.wait_loaded()
    shop.run("INSERT INTO shop.a VALUES (2)", "TRUNCATE shop.a")
    wait_for(lambda: task.status().state == "failed", "the failure")
    status = task.status()
    assert (status.stop_reason, status.tables["shop.a"].state) == ("FATAL_ERROR", "Table error")
    assert "shop.a was truncated" in status.failure


def test_mappings_that_match_nothing_fail_at_the_start(task: Any, wait_for: Callable[..., Any]) -> None:
    task.start()
    wait_for(lambda: task.status().state == "failed", "the failure")
    assert "No tables were found" in task.status().failure
