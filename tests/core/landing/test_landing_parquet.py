"""Parquet landing files: every physical form DMS writes is read exactly, by name, on each file's own schema."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catchment.errors import UnreadableFile
from catchment.landing.types import DeltaType

if TYPE_CHECKING:
    from conftest import Shelf

SEQ = "20260301090510250000000000000000061"


def test_a_change_file_gives_operation_order_commit_columns_and_before_images(shelf: Shelf) -> None:
    read = shelf.parquet(
        {
            "Op": pa.array(["I", "U"]),
            "dms_ts": pa.array(["2026-03-01 09:05:10.250431", "2026-03-01 09:05:20.771205"]),
            "id": pa.array([3, 30], pa.int32()),
            "total": pa.array([Decimal("5.00"), None], pa.decimal128(12, 2)),
            "dms_seq": pa.array([SEQ, SEQ]),
            "BI_id": pa.array([None, 3], pa.int32()),
        }
    )
    first = dt.datetime(2026, 3, 1, 9, 5, 10, 250431)
    last = dt.datetime(2026, 3, 1, 9, 5, 20, 771205)
    assert shelf.rows(read) == [
        ("I", SEQ, 1, first, 3, Decimal("5.00"), None),
        ("U", SEQ, 2, last, 30, None, 3),
    ]
    assert read.said == {"id", "total"}
    assert (read.rows, read.rejects) == (2, [])
    assert (read.first_commit, read.last_commit) == (first.replace(tzinfo=dt.UTC), last.replace(tzinfo=dt.UTC))


def test_a_load_file_without_operation_is_all_inserts(shelf: Shelf) -> None:
    read = shelf.parquet({"id": pa.array([1, 2])}, load=True)
    assert shelf.rows(read) == [("I", "", 1, None, 1, None), ("I", "", 2, None, 2, None)]
    assert read.first_commit is None


def test_bad_records_are_rejected_with_number_and_reason_and_the_others_go_on(shelf: Shelf) -> None:
    shelf.agree("{key: [id], columns: {id: int, n: int}}")
    read = shelf.parquet(
        {"Op": pa.array(["I", "X", "U", "D"]), "id": pa.array([1, 2, None, 4]), "n": pa.array(["1", "2", "3", "x"])},
    )
    assert [(r.row, r.field) for r in read.rejects] == [(2, "Op"), (3, "id")]
    assert read.rejects[0].raw == '{"Op": "X", "id": "2", "n": "2"}'
    assert shelf.rows(read, '"~op", "~row", id, n') == [("I", 1, 1, 1), ("D", 4, 4, None)]
    assert read.rows == 4


def one(values: list[Any], kind: pa.DataType, required: bool = False) -> pa.Table:
    count = len(values)
    columns = {
        "Op": pa.array(["I"] * count),
        "dms_ts": pa.array([b"2026-03-01 09:05:10.250431"] * count),
        "id": pa.array(range(count), pa.int32()),
        "value": pa.array(values, kind),
    }
    fields = [pa.field(name, array.type, nullable=not required) for name, array in columns.items()]
    return pa.table(columns, pa.schema(fields))


@pytest.mark.parametrize(
    ("values", "kind", "delta", "text"),
    [
        ([-128, 127], pa.int8(), "byte", ["-128", "127"]),
        ([-(2**15)], pa.int16(), "short", ["-32768"]),
        ([255], pa.uint8(), "short", ["255"]),
        ([65535], pa.uint16(), "integer", ["65535"]),
        ([2**32 - 1], pa.uint32(), "long", ["4294967295"]),
        ([2**64 - 1], pa.uint64(), "decimal(20,0)", ["18446744073709551615"]),
        ([Decimal("-" + "9" * 36 + ".99")], pa.decimal128(38, 2), "decimal(38,2)", ["-" + "9" * 36 + ".99"]),
        ([float("nan"), float("inf"), -0.0, 5e-324], pa.float64(), "double", ["nan", "inf", "-0.0", "5e-324"]),
        ([1.1], pa.float32(), "float", ["1.1"]),
        ([True, None], pa.bool_(), "boolean", ["true", None]),
        ([b"\x00\xff", b""], pa.binary(), "binary", ["\\x00\\xFF", ""]),
        ([" x ", "", None], pa.string(), "string", [" x ", "", None]),
        ([-2440588], pa.date32(), "date", ["4714-11-24 (BC)"]),
        ([2932897], pa.date32(), "date", ["10000-01-01"]),
        ([253402300800_000], pa.timestamp("ms", "UTC"), "timestamp", ["10000-01-01 00:00:00+00"]),
        ([-210866803200_000_001], pa.timestamp("us", "UTC"), "timestamp", ["4714-11-23 (BC) 23:59:59.999999+00"]),
        ([1_000_001], pa.timestamp("us"), "timestamp", ["1970-01-01 00:00:01.000001+00"]),
        ([1_000_001_000], pa.timestamp("ns"), "timestamp", ["1970-01-01 00:00:01.000001+00"]),
        ([1_000_001_000], pa.timestamp("ns", "UTC"), "timestamp", ["1970-01-01 00:00:01.000001+00"]),
        ([3_723_450], pa.time32("ms"), "string", ["01:02:03.450"]),
        ([3_723_450_000], pa.time64("us"), "string", ["01:02:03.450000"]),
        ([[1, None]], pa.list_(pa.int32()), "string", ["[1,null]"]),
        ([None], pa.null(), "string", [None]),
    ],
    ids=str,
)
@pytest.mark.parametrize("required", [False, True], ids=["optional", "required"])
def test_every_physical_form_has_its_delta_type_and_keeps_its_value(
    shelf: Shelf, values: list[Any], kind: pa.DataType, delta: str, text: list[str | None], required: bool
) -> None:
    if required and None in values:
        values, text = [v for v in values if v is not None], [t for t in text if t is not None]
    if not values:
        return
    read = shelf.parquet(one(values, kind, required))
    assert read.rejects == []
    assert shelf.kinds == {"id": "integer", "value": delta}
    assert [v for (v,) in shelf.rows(read, "CAST(value AS VARCHAR)")] == text


@pytest.mark.parametrize("options", [{"use_deprecated_int96_timestamps": True}, {"version": "1.0"}, {"version": "2.6"}])
def test_old_and_new_forms_of_timestamps_are_one(shelf: Shelf, options: dict[str, Any]) -> None:
    read = shelf.parquet(one([1_709_283_910_250_431], pa.timestamp("us", "UTC")), **options)
    assert shelf.rows(read, "CAST(value AS VARCHAR)") == [("2024-03-01 09:05:10.250431+00",)]


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "zstd"])
def test_decimals_kept_as_integers_and_any_compression_are_read(shelf: Shelf, compression: str) -> None:
    table = one([Decimal("1.23")], pa.decimal128(12, 2))
    read = shelf.parquet(table, compression=compression, store_decimal_as_integer=True)
    assert shelf.rows(read, "value") == [(Decimal("1.23"),)]


@pytest.mark.parametrize(
    ("declared", "kind", "good", "bad"),
    [
        ("boolean", pa.string(), ["true", "false"], ["maybe"]),
        ("int", pa.string(), ["7"], ["7.5", "x"]),
        ("int", pa.int64(), [2**31 - 1], [2**31]),
        ("int", pa.float64(), [7.0], [7.5, float("nan")]),
        ("double", pa.int64(), [2**53], [2**53 + 1]),
        ("float", pa.float64(), [1.5], [1.1, 1e300]),
        ("long", pa.decimal128(20, 2), [Decimal("7.00")], [Decimal("7.50")]),
        ("decimal(12,2)", pa.decimal128(28, 6), [Decimal("1.230000")], [Decimal("1.239000"), Decimal(10**15)]),
        ("decimal(12,2)", pa.float64(), [1.5], [1.239]),
        ("date", pa.timestamp("us", "UTC"), [86_400_000_000], [86_400_000_001]),
        ("date", pa.int32(), [], [5]),
        ("timestamp", pa.timestamp("ns", "UTC"), [1_000], [1_001]),
        ("timestamp", pa.date32(), [1], []),
        ("timestamp", pa.string(), ["2024-01-05 10:00:00"], ["2024-13-05 10:00:00"]),
        ("timestamp_ntz", pa.timestamp("us", "UTC"), [1], []),
        ("binary", pa.string(), ["0aFF"], ["0aF"]),
        ("string", pa.binary(), [b"text"], [b"\xff"]),
    ],
    ids=str,
)
def test_a_value_fits_the_declared_type_exactly_or_its_row_is_rejected(
    shelf: Shelf, declared: str, kind: pa.DataType, good: list[Any], bad: list[Any]
) -> None:
    shelf.agree(f"{{key: [id], columns: {{id: int, value: '{declared}'}}}}")
    read = shelf.parquet(one([*good, *bad], kind))
    assert [reject.row for reject in read.rejects] == list(range(len(good) + 1, len(good) + len(bad) + 1))
    assert {(r.field, r.reason) for r in read.rejects} <= {("value", f"the value does not fit {shelf.kinds['value']}")}
    assert read.rows == len(good) + len(bad)
    assert len(shelf.rows(read, "id")) == len(good)


def test_names_are_kept_as_spelt_and_found_in_any_case(shelf: Shelf) -> None:
    shelf.agree("{key: [Id], columns: {Id: int, 'sel\"ect': string, order by: string}}")
    columns = {"Op": ["U"], "ID": [1], 'sel"ect': ["a"], "ORDER BY": ["b"], "Größe; --": ["c"], "BI_iD": [2]}
    read = shelf.parquet({name: pa.array(values) for name, values in columns.items()})
    assert read.said == {"Id", 'sel"ect', "order by", "Größe; --"}
    assert shelf.rows(read)[0][4:] == (1, "a", "b", "c", 2)


def test_a_source_may_have_a_column_called_op_or_what_duckdb_calls_its_own(shelf: Shelf) -> None:
    names = ["Op", "id", "op", "file_row_number", "filename", "BI_note", "note"]
    shelf.agree("{key: [id], columns: {id: int, op: string, file_row_number: int, filename: string, BI_note: string}}")
    arrays = [pa.array(v) for v in (["I", "U"], [1, 2], ["x", "y"], [7, 8], ["f", "g"], ["b", "c"], ["n", "m"])]
    read = shelf.parquet(pa.Table.from_arrays(arrays, names))
    assert shelf.rows(read, '"~op", "~row", op, file_row_number, filename, BI_note, note') == [
        ("I", 1, "x", 7, "f", "b", "n"),
        ("U", 2, "y", 8, "g", "c", "m"),
    ]


def test_columns_that_differ_in_case_only_refuse_the_file(shelf: Shelf) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], ["id", "Name", "name"])
    with pytest.raises(UnreadableFile, match="differ in case only"):
        shelf.parquet(table, load=True)


def test_a_file_without_key_column_or_operation_is_refused(shelf: Shelf) -> None:
    with pytest.raises(UnreadableFile, match="'id' is missing"):
        shelf.parquet({"Op": pa.array(["I"]), "other": pa.array([1])})
    with pytest.raises(UnreadableFile, match="'Op'"):
        shelf.parquet({"id": pa.array([1])})


def test_a_truncated_file_is_refused_and_one_with_broken_pages_is_one_reject(shelf: Shelf, tmp_path: Path) -> None:
    rows = 50_000
    local = tmp_path / "file.parquet"
    table = pa.table({"Op": ["I"] * rows, "id": range(rows), "x": [f"{i * 7919}" for i in range(rows)]})
    pq.write_table(table, local, compression="snappy")
    whole = local.read_bytes()
    for cut in (0, 3, len(whole) // 2, len(whole) - 1):
        local.write_bytes(whole[:cut])
        with pytest.raises(UnreadableFile, match="Parquet"):
            shelf.read(local)
    local.write_bytes(whole[:1000] + bytes(len(whole) // 2) + whole[1000 + len(whole) // 2 :])
    read = shelf.read(local)
    assert (read.rows, [(r.row, r.field) for r in read.rejects], shelf.rows(read)) == (1, [(None, None)], [])


def test_a_path_is_never_a_pattern(shelf: Shelf, tmp_path: Path) -> None:
    for name in ("a[1]*", "a1x", "k=v"):
        folder = tmp_path / name
        folder.mkdir()
        pq.write_table(pa.table({"Op": ["I"], "id": [len(name)]}), folder / "file.parquet")
    for name in ("a[1]*", "k=v"):
        read = shelf.read(tmp_path / name / "file.parquet")
        assert shelf.rows(read, "*")[0][4:] == (len(name), None)


def test_rows_are_numbered_as_they_stand_over_row_groups(shelf: Shelf) -> None:
    rows = 30_000
    table = pa.table({"Op": ["I"] * rows, "id": range(rows)})
    read = shelf.parquet(table, row_group_size=1000)
    assert shelf.rows(read, 'count(*), bool_and("~row" = id + 1)') == [(rows, True)]


def test_a_sequence_says_the_order_or_the_files_name_does(shelf: Shelf) -> None:
    seqs = [SEQ, "", None, "7", "x" * 35]
    read = shelf.parquet({"Op": pa.array(["I"] * 5), "id": pa.array(range(5)), "dms_seq": pa.array(seqs)})
    place = "202603010906102540"
    assert shelf.rows(read, '"~seq"') == [(SEQ,), (place + "2".zfill(17),), (place + "3".zfill(17),)]
    assert [(r.row, r.field) for r in read.rejects] == [(4, "dms_seq"), (5, "dms_seq")]
    number = shelf.parquet({"Op": pa.array(["I"]), "id": pa.array([1]), "dms_seq": pa.array([42])})
    assert shelf.rows(number, '"~seq"') == [("42".zfill(35),)]


def test_a_key_of_several_columns_has_its_before_images_in_key_order(shelf: Shelf) -> None:
    shelf.agree("{key: [line, sale]}")
    names = ["Op", "sale", "line", "BI_sale", "BI_line"]
    arrays = [pa.array(["U", "U"]), pa.array([1, 1]), pa.array(["a", "b"]), pa.array([2, None]), pa.array(["a", None])]
    read = shelf.parquet(pa.Table.from_arrays(arrays, names))
    assert shelf.rows(read, '"~old_0", "~old_1"') == [("a", 2), (None, None)]


def test_a_file_is_read_into_the_table_it_meets(shelf: Shelf, tmp_path: Path) -> None:
    local = tmp_path / "file.parquet"
    pq.write_table(pa.table({"Op": ["I"], "id": pa.array([1], pa.int32()), "N": pa.array([5], pa.int16())}), local)
    file, shape, reader = shelf.inspect(local)
    target = {name: DeltaType.parse(kind) for name, kind in {"id": "long", "gone": "date", "n": "decimal(7,1)"}.items()}
    read = reader.read(file, local, shape, target)
    assert read.said == {"id", "n"}
    assert shelf.rows(read)[0][4:] == (1, None, Decimal("5.0"), None)


def test_load_rows_can_only_be_inserts(shelf: Shelf) -> None:
    read = shelf.parquet({"Op": pa.array(["I", "U", None]), "id": pa.array([1, 2, 3])}, load=True)
    assert [r.row for r in read.rejects] == [2, 3]


def test_before_images_of_a_part_of_the_key_refuse_the_file(shelf: Shelf) -> None:
    shelf.agree("{key: [a, b]}")
    with pytest.raises(UnreadableFile, match="part of the key only: BI_a"):
        shelf.parquet({"Op": pa.array(["U"]), "a": pa.array([1]), "b": pa.array([2]), "BI_a": pa.array([1])})


def test_a_file_that_is_gone_is_not_an_unreadable_one(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        shelf.read(tmp_path / "gone.parquet")


def test_beside_a_before_image_as_spelt_a_like_named_column_is_the_sources(shelf: Shelf) -> None:
    arrays = [pa.array(v) for v in (["U"], ["mine"], [2], [1])]
    read = shelf.parquet(pa.Table.from_arrays(arrays, ["Op", "bi_id", "id", "BI_id"]))
    assert shelf.rows(read, 'id, bi_id, "~old_0"') == [(2, "mine", 1)]


@pytest.mark.parametrize("name", ["_catchment_seq", "_Catchment_Seq", "~op"])
def test_a_column_of_a_name_the_lake_needs_itself_refuses_the_file(shelf: Shelf, name: str) -> None:
    with pytest.raises(UnreadableFile, match="a column is called"):
        shelf.parquet(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["id", name]), load=True)
