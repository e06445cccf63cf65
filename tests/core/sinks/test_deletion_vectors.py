"""The bytes of deletion vectors: ours, the protocol's, damaged ones. Scope: catchment.sinks.deletion_vectors."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from deltalake.table import TableFeatures
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap64

from catchment.errors import DamagedVector
from catchment.sinks.deletion_vectors import VectorFile, VectorReader, decode85, encode85, vector_file
from catchment.sinks.delta_actions import DeletionVector
from catchment.storage import LocalStore

POSITIONS = st.sets(st.one_of(st.integers(0, 300), st.integers(0, 2**40)), min_size=1, max_size=60)
# Both from the Delta protocol, "Deletion Vector Descriptor Schema".
INLINE = DeletionVector("i", "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", 44, 6)
IN_FILE = DeletionVector("u", "ab^-aqEH.-t@S}K{vb[*k^", 40, 6, 4)


def saved(root: Path, *vectors: BitMap64) -> tuple[VectorReader, list[DeletionVector]]:
    """A table's folder with these vectors in one file."""
    store, file = LocalStore(root), VectorFile()
    descriptors = [file.add(vector) for vector in vectors]
    file.save(store, "s/t")
    return VectorReader(store, "s/t"), descriptors


@given(data=st.binary(max_size=50))
def test_base85_gives_the_bytes_back(data: bytes) -> None:
    assert decode85(encode85(data))[: len(data)] == data


@given(sets=st.lists(POSITIONS, min_size=1, max_size=4))
def test_vectors_of_one_file_come_back_each_by_its_own(
    tmp_path_factory: pytest.TempPathFactory, sets: list[set[int]]
) -> None:
    reader, descriptors = saved(tmp_path_factory.mktemp("table"), *map(BitMap64, sets))
    again = [DeletionVector.from_json(json.loads(json.dumps(each.to_json()))) for each in descriptors]
    assert [set(reader.read(each)) for each in again] == sets
    assert len({each.identity for each in again}) == len(sets)


def test_the_protocols_own_examples_are_read() -> None:
    reader = VectorReader(LocalStore(Path("/nowhere")), "s/t")
    assert list(reader.read(INLINE)) == [3, 4, 7, 11, 18, 29]
    assert vector_file(IN_FILE, "s3://bucket/s/t") == "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"


@pytest.mark.parametrize("url", ["/lake/s/t", "s3://bucket/s/t"])
def test_an_absolute_path_is_read_inside_of_the_table_only(url: str) -> None:
    inside = DeletionVector("p", f"{url}/x%20y.bin", 40, 6, 1)
    assert vector_file(inside, url) == "x y.bin"
    with pytest.raises(DamagedVector, match="outside of the table"):
        vector_file(inside, f"{url}2")


def test_nothing_is_written_where_no_row_is_masked(tmp_path: Path) -> None:
    saved(tmp_path)
    assert not list(tmp_path.rglob("*"))


@settings(deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_never_taken_for_other_rows(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("table")
    reader, [vector] = saved(root, BitMap64(data.draw(POSITIONS)))
    [file] = root.rglob("*.bin")
    body = bytearray(file.read_bytes())
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    file.write_bytes(body)
    with pytest.raises(DamagedVector):
        reader.read(vector)


@pytest.mark.parametrize(
    "wrong",
    [
        dataclasses.replace(INLINE, cardinality=7),
        dataclasses.replace(INLINE, size=20),
        dataclasses.replace(INLINE, path_or_inline=""),
        dataclasses.replace(INLINE, path_or_inline=INLINE.path_or_inline[5:]),
        dataclasses.replace(INLINE, path_or_inline="ü" + INLINE.path_or_inline[1:]),
        dataclasses.replace(INLINE, path_or_inline="#####" + INLINE.path_or_inline[5:]),
    ],
)
def test_a_descriptor_that_does_not_fit_its_bitmap_is_refused(wrong: DeletionVector) -> None:
    with pytest.raises(DamagedVector):
        VectorReader(LocalStore(Path("/nowhere")), "s/t").read(wrong)


@pytest.mark.parametrize("masked", [{0}, {1, 5, 9}, set(range(9))])
def test_deltalake_leaves_out_the_rows_we_mask(tmp_path: Path, masked: set[int]) -> None:
    write_deltalake(tmp_path / "s/t", pa.table({"id": list(range(10))}))
    table = DeltaTable(tmp_path / "s/t")
    table.alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)
    _, [vector] = saved(tmp_path, BitMap64(masked))
    first = tmp_path / f"s/t/_delta_log/{0:020d}.json"
    [add] = [json.loads(line)["add"] for line in first.read_text().splitlines() if '"add"' in line]
    actions = [
        {"remove": {"path": add["path"], "dataChange": True, "deletionTimestamp": 0}},
        {"add": {**add, "deletionVector": vector.to_json()}},
    ]
    log = tmp_path / f"s/t/_delta_log/{table.version() + 1:020d}.json"
    log.write_text("\n".join(map(json.dumps, actions)))
    found = QueryBuilder().register("t", DeltaTable(tmp_path / "s/t")).execute("SELECT id FROM t").read_all()
    assert set(pa.table(found).column("id").to_pylist()) == set(range(10)) - masked
