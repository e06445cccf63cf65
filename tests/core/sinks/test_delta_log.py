"""The log as this reader sees it, beside deltalake's view of the same table; and what reading and committing ask for.

Scope: catchment.sinks.delta_log, delta_checkpoint, delta_snapshot, delta_table on local folders.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from catchment.apply import Budget, apply_table
from catchment.apply.engine import open_duck_engine
from catchment.errors import ForeignWriter, LogBroken
from catchment.landing.types import DeltaType
from catchment.sinks.base import LostRace
from catchment.sinks.delta_actions import Add, DeletionVector, Metadata, Protocol, Remove, Txn, line, parse
from catchment.sinks.delta_protocol import refusal, with_features
from catchment.sinks.delta_schema import schema_of
from catchment.sinks.delta_snapshot import Snapshot, load
from catchment.sinks.delta_table import COMMITS_PER_CHECKPOINT, DeltaLog, DeltaLogs
from catchment.storage import LocalStore
from tests.core.apply import applying as a

OPERATIONS = ("append", "append", "delete", "compact", "checkpoint", "property", "clean")


def change(table: Path, operation: str, number: int) -> None:
    """One step of a foreign table's life, partitioned by a text that has to be escaped."""
    rows = pa.table({"id": pa.array(range(number, number + 3), pa.int64()), "p": [f"a b/{number % 2}%=é"] * 3})
    if operation == "append" or not table.exists():
        write_deltalake(table, rows, mode="append", partition_by=["p"])
        return
    delta = DeltaTable(table)
    if operation == "delete":
        delta.delete(f"id % 3 = {number % 3}")
    elif operation == "compact":
        delta.optimize.compact()
    elif operation == "property":
        delta.alter.set_table_properties({"delta.logRetentionDuration": f"interval {number + 1} days"})
    else:
        delta.create_checkpoint()
    if operation == "clean":
        for version in range(delta.version()):
            (table / f"_delta_log/{version:020d}.json").unlink(missing_ok=True)


def same(found: Snapshot, table: Path) -> None:
    """The snapshot says what deltalake says."""
    delta = DeltaTable(table)
    actions = pa.table(delta.get_add_actions()).to_pylist()
    assert found.version == delta.version()
    assert sorted((add.path, add.size, add.records) for add in found.adds.values()) == sorted(
        (unquote(action["path"]), action["size_bytes"], action["num_records"]) for action in actions
    )
    assert {add.path: dict(add.partition_values) for add in found.adds.values()} == {
        unquote(action["path"]): action.get("partition", {}) for action in actions
    }
    assert all((table / add.path).is_file() for add in found.adds.values())
    assert found.metadata.id == str(delta.metadata().id)
    assert dict(found.metadata.configuration) == delta.metadata().configuration
    assert {name: str(kind) for name, kind in found.columns.items()} == {
        field.name: field.type.type for field in delta.schema().fields
    }


@given(st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_a_log_is_read_as_deltalake_reads_it(operations: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, table = LocalStore(Path(folder)), Path(folder) / "t"
        for number, operation in enumerate(operations):
            change(table, operation, number)
            loaded = load(store, "t")
            assert loaded is not None
            same(loaded.snapshot, table)


@given(st.lists(st.sampled_from(["append", "compact", "checkpoint", "property"]), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_a_known_log_is_carried_forward_to_what_reading_it_anew_says(operations: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        a.land(root, "LOAD00000001.parquet", *(a.load(i, v="load") for i in range(20)))
        a.run(root)
        log = a.log(root)
        for number, operation in enumerate(operations):
            if operation == "append":
                a.land(root, f"20240809-10000{number}000.parquet", a.update(number + 1, number, v="new"))
                a.run(root)
            else:
                change(root / "lake/s/t", operation, number)
            followed, anew = log.refresh(), a.log(root)
            assert followed is not None
            same(followed, root / "lake/s/t")
            assert (followed, log.ledger) == (anew.snapshot, anew.ledger)


def split(checkpoint: Path, select: list[str], names: list[str]) -> None:
    """Write a checkpoint anew as several files beside it, and remove it."""
    with duckdb.connect() as con:
        for query, name in zip(select, names, strict=True):
            target = checkpoint.parent / name
            target.parent.mkdir(exist_ok=True)
            con.execute(f"COPY ({query.format(checkpoint)}) TO '{target}' (FORMAT parquet)")
    checkpoint.unlink()


def test_checkpoints_in_parts_and_with_side_files_are_read(tmp_path: Path) -> None:
    table = tmp_path / "t"
    for number in range(4):
        change(table, "append", number)
    change(table, "clean", 4)
    shutil.copytree(table, tmp_path / "v2")
    head = f"{3:020d}.checkpoint"
    split(
        table / f"_delta_log/{head}.parquet",
        ["SELECT * FROM '{}' WHERE add IS NULL", "SELECT * FROM '{}' WHERE add IS NOT NULL"],
        [f"{head}.{1:010d}.{2:010d}.parquet", f"{head}.{2:010d}.{2:010d}.parquet"],
    )
    side = "SELECT {{'path': 'side.parquet', 'sizeInBytes': 1, 'modificationTime': 0}} AS sidecar"
    split(
        tmp_path / f"v2/_delta_log/{head}.parquet",
        [
            f"SELECT metaData, protocol, txn, NULL AS sidecar FROM '{{}}' WHERE add IS NULL UNION ALL BY NAME {side}",
            "SELECT add FROM '{}' WHERE add IS NOT NULL",
        ],
        [f"{head}.3a0d65cd-4056-49b8-937b-95f9e3ee90e5.parquet", "_sidecars/side.parquet"],
    )
    store = LocalStore(tmp_path)
    found = [load(store, name) for name in ("t", "v2")]
    assert found[0] is not None
    assert found[1] is not None
    same(found[0].snapshot, table)
    assert found[0].snapshot.adds == found[1].snapshot.adds
    (tmp_path / f"t/_delta_log/{head}.{1:010d}.{2:010d}.parquet").unlink()
    with pytest.raises(LogBroken, match="missing"):
        load(store, "t")


@pytest.mark.parametrize(
    "text",
    [
        '{"add":{"path":"x","size":1',
        '{"add":{"path":"x"}}',
        '["add"]',
        '{"protocol":{"minReaderVersion":1}}',
        '{"commitInfo":{"timestamp":"soon"}}',
        '{"add":7}',
        '{"add":{"path":"s3://other/x","size":1,"modificationTime":1}}',
    ],
)
def test_a_line_that_is_no_action_is_an_error_with_its_file(tmp_path: Path, text: str) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    log = tmp_path / f"lake/s/t/_delta_log/{1:020d}.json"
    log.write_text(text)
    with pytest.raises(LogBroken, match=r"00000001\.json"):
        a.run(tmp_path)


def test_a_commit_missing_between_others_is_an_error(tmp_path: Path) -> None:
    for number in range(4):
        change(tmp_path / "t", "append", number)
    (tmp_path / f"t/_delta_log/{2:020d}.json").unlink()
    with pytest.raises(LogBroken, match="missing between"):
        load(LocalStore(tmp_path), "t")


def test_a_table_that_was_built_anew_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.land(tmp_path, "20240809-100000000.parquet", a.update(1, 1, v="b"))
    a.run(tmp_path, budget=Budget(commit_files=1))
    log = a.log(tmp_path)
    shutil.rmtree(tmp_path / "lake")
    a.run(tmp_path, budget=Budget(commit_files=1))
    anew = log.refresh()
    assert anew is not None
    assert anew.metadata.id == a.table(tmp_path).metadata().id
    shutil.rmtree(tmp_path / "lake")
    assert log.refresh() is None


def test_of_two_commits_on_one_version_the_second_is_lost(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    first, second = a.log(tmp_path), a.log(tmp_path)
    commit = {"operation": "TEST", "parameters": {}, "metrics": {}}
    assert first.commit([Txn("x", 1)], **commit).txns["x"] == 1
    with pytest.raises(LostRace):
        second.commit([Txn("x", 2)], **commit)
    found = second.refresh()
    assert found is not None
    assert found.txns["x"] == 1
    assert a.table(tmp_path).transaction_version("x") == 1


def test_actions_survive_their_json() -> None:
    vector = DeletionVector("u", "ab^-aqEH.-t@S}K{vb[*k^", 40, 6, 4)
    add = Add("a b/é=%20", 9, 1, '{"numRecords":7}', {"p": None}, False, vector, {"t": "x"}, 3, 4, "c")
    for action in (
        add,
        Remove("x", 5, False, 9, {"p": "1"}, vector, {"t": None}, 1, 2),
        Protocol(3, 7, frozenset({"deletionVectors"}), frozenset({"deletionVectors", "appendOnly"})),
        Metadata("id", "{}", ("p",), {"k": "v"}, 7, "n", "d"),
        Txn("app", 3, 4),
    ):
        [(name, said)] = json.loads(json.dumps(line(action))).items()
        assert parse(name, said) == action
    assert add.rows == 1
    assert add.removed(8).identity == add.identity == ("a b/é=%20", "uab^-aqEH.-t@S}K{vb[*k^@4")


def test_a_raised_protocol_names_what_it_implied() -> None:
    assert with_features(Protocol(1, 2), {"timestampNtz"}) == Protocol(
        3, 7, frozenset({"timestampNtz"}), frozenset({"timestampNtz", "appendOnly", "invariants"})
    )
    raised = with_features(Protocol(1, 2), {"timestampNtz"})
    assert with_features(raised, {"timestampNtz"}) is raised


@pytest.mark.parametrize(
    ("protocol", "configuration", "field", "why"),
    [
        (Protocol(3, 7, frozenset({"typeWidening"}), frozenset({"typeWidening"})), {}, {}, "typeWidening"),
        (Protocol(1, 7, frozenset(), frozenset({"rowTracking"})), {}, {}, "rowTracking"),
        (Protocol(4, 7), {}, {}, "reader 4"),
        (Protocol(1, 2), {"delta.appendOnly": "true"}, {}, "appendOnly"),
        (Protocol(1, 4), {"delta.enableChangeDataFeed": "TRUE"}, {}, "changeDataFeed"),
        (Protocol(1, 3), {"delta.constraints.positive": "id > 0"}, {}, "checkConstraints"),
        (Protocol(2, 5), {"delta.columnMapping.mode": "name"}, {}, "columnMapping"),
        (Protocol(1, 4), {}, {"delta.generationExpression": "1"}, "generatedColumns"),
        (Protocol(1, 2), {}, {"delta.invariants": "{}"}, "invariants"),
        (Protocol(1, 6), {}, {"comment": "harmless"}, None),
    ],
)
def test_what_is_not_known_or_not_done_here_is_refused_by_name(
    protocol: Protocol, configuration: dict[str, str], field: dict[str, str], why: str | None
) -> None:
    schema = json.loads(schema_of({"id": DeltaType("long")}))
    schema["fields"][0]["metadata"] = field
    found = refusal(protocol, Metadata("", json.dumps(schema), configuration=configuration))
    assert (found is None) if why is None else (found is not None and why in found)


def test_a_table_with_an_unknown_feature_is_refused(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    raised = with_features(Protocol(1, 2), {"variantType"})
    a.log(tmp_path).commit([raised], operation="UPGRADE PROTOCOL", parameters={}, metrics={})
    with pytest.raises(ForeignWriter, match="variantType"):
        a.run(tmp_path)


class Counting(LocalStore):
    """A folder that counts what a bucket would be asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name in ("list", "fetch", "put", "create_bytes", "write_bytes", "read_bytes", "delete", "has_folder"):
            self.asked[name] += 1
        return super().__getattribute__(name)

    def since(self) -> dict[str, int]:
        """The requests since the last call."""
        found, self.asked = dict(self.asked), Counter()
        return found


@pytest.fixture
def stores(tmp_path: Path) -> tuple[Path, Counting, Counting]:
    return tmp_path, Counting(tmp_path / "landing"), Counting(tmp_path / "lake")


def test_requests_do_not_grow_with_versions_or_files(stores: tuple[Path, Counting, Counting]) -> None:
    root, landing, lake = stores
    logs = DeltaLogs()

    def call(warm: bool = True) -> tuple[dict[str, int], dict[str, int]]:
        engine = partial(open_duck_engine, logs=logs if warm else None)
        a.run(root, landing=landing, lake=lake, named=[], apply=partial(apply_table, open_engine=engine))
        return landing.since(), lake.since()

    a.land(root, "LOAD00000001.parquet", *(a.load(i, v="load") for i in range(10)))
    call()
    commits, idles = set(), set()
    for number in range(2 * COMMITS_PER_CHECKPOINT):
        a.land(root, f"20240809-10{number // 60:02d}{number % 60:02d}000.parquet", a.insert(number + 1, number + 99))
        saving = (number + 2) % COMMITS_PER_CHECKPOINT == 0
        asked = call()
        if number > 0 and not saving:
            commits.add(json.dumps(asked, sort_keys=True))
        idles.add(json.dumps(call()))
    looks = {"list": 2, "fetch": 1}
    rewritten = [{"list": 1, "fetch": touched, "put": 1, "create_bytes": 1} for touched in range(6)]
    del rewritten[0]["fetch"]
    assert commits <= {json.dumps((looks, each), sort_keys=True) for each in rewritten}
    assert idles == {json.dumps(({"list": 1}, {"list": 1}))}
    for _ in range(2):
        _, cold = call(warm=False)
        assert cold["list"] == 2
        assert cold["read_bytes"] <= 3 + COMMITS_PER_CHECKPOINT


def test_no_other_writer_cleans_the_log_up_behind_a_commit(tmp_path: Path) -> None:
    a.land(tmp_path, "LOAD00000001.parquet", a.load(1, v="a"))
    a.run(tmp_path)
    eager = {"delta.logRetentionDuration": "interval 0 seconds", "delta.checkpointInterval": "1"}
    first = tmp_path / f"lake/s/t/_delta_log/{0:020d}.json"
    for _ in range(3):
        a.table(tmp_path).alter.set_table_properties(eager)
    assert first.is_file()
    for _ in range(3):
        a.table(tmp_path).alter.set_table_properties(eager | {"delta.enableExpiredLogCleanup": "true"})
    assert not first.is_file(), "the property is what held the log"


def test_logs_let_go_of_what_was_not_used_for_longest(tmp_path: Path) -> None:
    for name in ("one", "two"):
        a.land(tmp_path / name, "LOAD00000001.parquet", a.load(1, v="a"))
        a.run(tmp_path / name)
    logs = DeltaLogs(most=3)
    kept = {name: logs.of(LocalStore(tmp_path / name / "lake"), "s/t", "s.t") for name in ("one", "two")}
    for log in kept.values():
        log.refresh()
        assert log.weight == 2
    again = logs.of(LocalStore(tmp_path / "two/lake"), "s/t", "s.t")
    assert again is kept["two"]
    assert logs.of(LocalStore(tmp_path / "one/lake"), "s/t", "s.t") is not kept["one"]
    assert isinstance(again, DeltaLog)
