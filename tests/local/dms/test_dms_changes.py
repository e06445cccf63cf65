"""Changes of a real server as rows of landing files: keys, TOAST, keyless tables, DDL, TRUNCATE, errors."""

from __future__ import annotations

import json
from typing import Any

import pyarrow.parquet as pq
import pytest

from local.dms.policies import TaskFailed
from local.dms.sources.postgresql.changes import feed

NOISE = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 400) n)"


def ops(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [(row["Op"], *(row[column] for column in columns)) for row in rows]


def test_a_key_change_fills_the_before_image_of_every_key_column(shop: Any, replay: Any) -> None:
    shop.run(
        "CREATE TABLE shop.parts (a int, note text, b varchar(5), PRIMARY KEY (b, a))",
        "INSERT INTO shop.parts VALUES (1, 'x', 'k'), (2, 'y', 'k')",
    )
    replay.begin()
    shop.run(
        "UPDATE shop.parts SET a = 9 WHERE a = 1",
        "UPDATE shop.parts SET note = 'z' WHERE a = 2",
        "BEGIN",
        "UPDATE shop.parts SET a = 0 WHERE a = 9",
        "UPDATE shop.parts SET a = 9 WHERE a = 2",
        "UPDATE shop.parts SET a = 2 WHERE a = 0",
        "COMMIT",
        "DELETE FROM shop.parts WHERE a = 2",
    )
    replay.finish()
    rows = replay.rows("shop.parts")
    assert list(rows[0]) == ["Op", "dms_ts", "a", "note", "b", "dms_seq", "BI_a", "BI_b"]
    assert ops(rows, "a", "b", "BI_a", "BI_b") == [
        ("U", 9, "k", 1, "k"),
        ("U", 2, "k", None, None),
        ("U", 0, "k", 9, "k"),
        ("U", 9, "k", 2, "k"),
        ("U", 2, "k", 0, "k"),
        ("D", 2, "k", None, None),
    ]
    assert len({row["dms_ts"] for row in rows[2:5]}) == 1
    assert [int(row["dms_seq"][16:]) for row in rows] == [61, 73, 85, 89, 93, 105]


def test_rolled_back_work_leaves_nothing(shop: Any, replay: Any) -> None:
    shop.run("CREATE TABLE shop.t (id int PRIMARY KEY)")
    replay.begin()
    shop.run("BEGIN", "INSERT INTO shop.t VALUES (1)", "ROLLBACK")
    shop.run("BEGIN", "INSERT INTO shop.t VALUES (2)", "SAVEPOINT s", "INSERT INTO shop.t VALUES (3)")
    shop.run("ROLLBACK TO s", "COMMIT")
    replay.finish()
    assert ops(replay.rows("shop.t"), "id") == [("I", 2)]


@pytest.mark.parametrize(
    ("identity", "behaviour", "delivered"),
    [
        ("DEFAULT", {}, [None, None]),
        ("DEFAULT", {"toast": "lookup"}, ["large", "large"]),
        ("FULL", {}, ["large", "large"]),
        ("FULL", {"toast": "null"}, [None, None]),
    ],
)
def test_an_unchanged_large_value(
    shop: Any, replay: Any, identity: str, behaviour: dict[str, Any], delivered: list[str | None]
) -> None:
    shop.run(
        "CREATE TABLE shop.big (id int PRIMARY KEY, body text, n int)",
        "ALTER TABLE shop.big ALTER body SET STORAGE EXTERNAL",
        f"ALTER TABLE shop.big REPLICA IDENTITY {identity}",
        f"INSERT INTO shop.big SELECT i, {NOISE}, 0 FROM generate_series(1, 3) i",
    )
    replay.plan["behaviour"] = behaviour
    replay.begin()
    shop.run("UPDATE shop.big SET n = 1 WHERE id = 1", "UPDATE shop.big SET id = 20 WHERE id = 2")
    shop.run("UPDATE shop.big SET body = 'short' WHERE id = 3", "DELETE FROM shop.big WHERE id = 3")
    replay.finish()
    rows = replay.rows("shop.big")
    large = shop.rows("SELECT body FROM shop.big WHERE id = 1")[0][0]
    assert [row["body"] for row in rows[:2]] == [large if word else None for word in delivered]
    assert [(row["BI_id"], row["body"]) for row in rows[2:3]] == [(None, "short")]
    # a full replica identity logs the whole old row of a delete
    assert rows[3]["body"] == ("short" if identity == "FULL" else None)


def test_a_table_without_a_key_sends_inserts_only_and_no_large_objects(shop: Any, replay: Any) -> None:
    shop.run("CREATE TABLE shop.events (kind varchar(10), body text)")
    replay.begin()
    shop.run(
        "INSERT INTO shop.events VALUES ('a', 'text')", "UPDATE shop.events SET kind = 'b'", "DELETE FROM shop.events"
    )
    replay.finish()
    rows = replay.rows("shop.events")
    assert [(row["Op"], row["kind"], row["body"]) for row in rows] == [("I", "a", None)]
    assert not [name for name in rows[0] if name.startswith("BI_")]


def test_a_changed_table_begins_a_new_file(shop: Any, replay: Any) -> None:
    shop.run("CREATE TABLE shop.t (id int PRIMARY KEY, gone int, n int)", "INSERT INTO shop.t VALUES (1, 1, 1)")
    replay.begin()
    shop.run(
        "UPDATE shop.t SET n = 2",
        "ALTER TABLE shop.t ADD COLUMN extra varchar(5), ALTER COLUMN n TYPE bigint",
        "UPDATE shop.t SET n = 3000000000, extra = 'x'",
        "ALTER TABLE shop.t DROP COLUMN gone",
        "UPDATE shop.t SET n = 4",
    )
    replay.finish()
    schemas = [pq.ParquetFile(path).schema_arrow for path in replay.files("shop.t")]
    assert [[n for n in schema.names if not n.startswith(("Op", "dms", "BI"))] for schema in schemas] == [
        ["id", "gone", "n"],
        ["id", "gone", "n", "extra"],
        ["id", "n", "extra"],
    ]
    assert [str(schema.field("n").type) for schema in schemas] == ["int32", "int64", "int64"]
    assert replay.lines["shop.t"].ddls == 2


@pytest.mark.parametrize("mode", ["silent", "delete", "fail"])
def test_truncate_does_what_the_task_settings_say(shop: Any, replay: Any, mode: str) -> None:
    shop.run("CREATE TABLE shop.t (id int PRIMARY KEY)")
    replay.plan["settings"] = json.dumps(
        {
            "ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableTruncated": mode == "delete"},
            "ErrorBehavior": {"ApplyErrorFailOnTruncationDdl": mode == "fail"},
        }
    )
    replay.begin()
    shop.run("INSERT INTO shop.t VALUES (1)")
    replay.finish()
    shop.run("INSERT INTO shop.t VALUES (2)", "TRUNCATE shop.t", "INSERT INTO shop.t VALUES (3)")
    if mode == "fail":
        messages = replay.messages()
        with pytest.raises(TaskFailed, match=r"shop\.t was truncated"):
            feed(replay.writer, messages, replay.source.catalog)
        assert replay.lines["shop.t"].state == "Table error"
        # loaded anew before the stream comes to the same TRUNCATE again, the table goes on
        replay.writer.readmit("shop.t")
        feed(replay.writer, messages, replay.source.catalog)
        shop.run("TRUNCATE shop.t")
        with pytest.raises(TaskFailed, match=r"shop\.t was truncated"):
            replay.finish()
        return
    replay.finish()
    expected = [("I", 3)] if mode == "delete" else [("I", 1), ("I", 2), ("I", 3)]
    assert ops(replay.rows("shop.t"), "id") == expected


def test_a_value_too_large_for_its_type_suspends_the_table_and_no_other(shop: Any, replay: Any) -> None:
    shop.run("CREATE TABLE shop.bad (id int PRIMARY KEY, n numeric)", "CREATE TABLE shop.good (id int PRIMARY KEY)")
    replay.plan["settings"] = json.dumps({"ErrorBehavior": {"DataErrorPolicy": "SUSPEND_TABLE"}})
    replay.begin()
    shop.run("INSERT INTO shop.bad VALUES (1, 1.5)", "INSERT INTO shop.good VALUES (1)")
    replay.finish()
    shop.run("INSERT INTO shop.bad VALUES (2, 1e22)", "INSERT INTO shop.good VALUES (2)")
    replay.finish()
    shop.run("INSERT INTO shop.bad VALUES (3, 1)", "INSERT INTO shop.good VALUES (3)")
    replay.finish()
    assert ops(replay.rows("shop.bad"), "id") == [("I", 1)]
    assert ops(replay.rows("shop.good"), "id") == [("I", 1), ("I", 2), ("I", 3)]
    assert replay.lines["shop.bad"].state == "Table error"
    assert "column n" in replay.lines["shop.bad"].message


def test_a_bad_row_is_dropped_where_the_policy_is_to_log(shop: Any, replay: Any) -> None:
    shop.run("CREATE TABLE shop.bad (id int PRIMARY KEY, n numeric)")
    replay.begin()
    shop.run("INSERT INTO shop.bad VALUES (1, 1), (2, 1e22), (3, 3)")
    replay.finish()
    assert ops(replay.rows("shop.bad"), "id") == [("I", 1), ("I", 3)]


@pytest.mark.parametrize("fail", [False, True])
def test_a_large_object_beyond_the_limit_is_cut_or_ends_the_task(shop: Any, replay: Any, fail: bool) -> None:
    shop.run("CREATE TABLE shop.big (id int PRIMARY KEY, words text, raw bytea)")
    replay.plan["settings"] = json.dumps({"TargetMetadata": {"LobMaxSize": 1}})
    replay.plan["source"]["PostgreSQLSettings"] = {"FailTasksOnLobTruncation": fail}
    replay.begin()
    shop.run("INSERT INTO shop.big VALUES (1, repeat('ä', 600), decode(repeat('00', 2000), 'hex'))")
    if fail:
        with pytest.raises(TaskFailed, match="FailTasksOnLobTruncation"):
            replay.finish()
        return
    replay.finish()
    (row,) = replay.rows("shop.big")
    # text is counted with two bytes a character
    assert (row["words"], row["raw"]) == ("ä" * 512, bytes(1024))


@pytest.mark.parametrize(("mode", "left"), [("DO_NOTHING", 3), ("DROP_AND_CREATE", 1), ("TRUNCATE_BEFORE_LOAD", 1)])
def test_a_load_leaves_or_removes_what_was_there_before(shop: Any, replay: Any, mode: str, left: int) -> None:
    shop.run("CREATE TABLE shop.t (id int PRIMARY KEY)", "INSERT INTO shop.t SELECT generate_series(1, 25)")
    replay.plan["settings"] = json.dumps({"FullLoadSettings": {"TargetTablePrepMode": mode}})
    replay.plan["behaviour"] = {"load_file_rows": 10}
    replay.begin()
    replay.load("shop.t")
    assert [path.name[:12] for path in replay.files("shop.t")] == [f"LOAD0000000{n}" for n in (1, 2, 3)]
    shop.run("DELETE FROM shop.t WHERE id > 5")
    replay.load("shop.t")
    assert len(replay.files("shop.t")) == left
    assert pq.ParquetFile(replay.files("shop.t")[0]).metadata.num_rows == 5


def test_each_table_has_its_own_timer_and_a_large_one_does_not_wait(shop: Any, replay: Any) -> None:
    shop.run("CREATE TABLE shop.a (id int PRIMARY KEY)", "CREATE TABLE shop.b (id int PRIMARY KEY, t varchar(2000))")
    replay.plan["s3"].update(CdcMaxBatchInterval=60, CdcMinFileSize=16)
    replay.begin()
    shop.run("INSERT INTO shop.a VALUES (1)")
    replay.feed()
    replay.now += 10
    shop.run("INSERT INTO shop.b VALUES (1, 'x')", "INSERT INTO shop.a VALUES (2)")
    replay.feed()
    replay.now += 50
    assert replay.writer.flush_due() == replay.now + 10
    assert ops(replay.rows("shop.a"), "id") == [("I", 1), ("I", 2)]
    assert replay.files("shop.b") == []
    shop.run("INSERT INTO shop.b SELECT g, repeat('x', 2000) FROM generate_series(2, 12) g")
    replay.feed()
    assert len(replay.rows("shop.b")) == 10  # the eleventh and twelfth wait for the next file


def test_the_safe_position_waits_for_every_file_and_moves_on_when_idle(shop: Any, replay: Any) -> None:
    shop.run("CREATE TABLE shop.a (id int PRIMARY KEY)", "CREATE TABLE shop.b (id int PRIMARY KEY)")
    replay.begin()
    shop.run("INSERT INTO shop.a VALUES (1)")
    replay.feed()
    before = replay.writer.safe_position()
    shop.run("INSERT INTO shop.b VALUES (1)")
    replay.feed()
    assert replay.writer.safe_position() == before
    replay.writer.flush_table("shop.a")
    between = replay.writer.safe_position()
    assert between.lsn > before.lsn
    replay.writer.flush_all()
    fence = shop.fence()
    assert between.lsn < replay.writer.safe_position().lsn <= fence
    replay.writer.caught_up(fence)
    assert replay.writer.safe_position().lsn == fence
