"""The tables file: what it may say, and what an error names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catchment.errors import SettingsError
from catchment.landing.contract import LandingFormat, TableContract, load_contracts
from catchment.landing.names import TableName

FULL = """
landing:
  format: csv
  header: yes
  delimiter: "|"
  null_value: NULL
  op_in_full_load: false
  timestamp_column: dms_ts
  sequence_column: dms_seq
  before_image_prefix: BI_
tables:
  public.orders:
    key: [no]
    columns: {no: int, on: string, "true": "decimal(12,2)", 2024-01-01: bigint}
    landing: {timestamp_column: null, null_value: null, delimiter: "\\t"}
  public.log.old:
"""


def only(text: str) -> TableContract:
    return next(iter(load_contracts(text).values()))


def test_all_lines_are_read_and_each_may_be_overridden_for_a_table() -> None:
    contracts = load_contracts(FULL)
    orders, log = contracts[TableName("public", "orders")], contracts[TableName("public", "log.old")]
    assert log.landing == LandingFormat(
        format="csv",
        header=True,
        delimiter="|",
        null_value="NULL",
        op_in_full_load=False,
        timestamp_column="dms_ts",
        sequence_column="dms_seq",
        before_image_prefix="BI_",
    )
    assert (log.key, log.columns) == ((), None)
    assert (orders.landing.timestamp_column, orders.landing.null_value, orders.landing.delimiter) == (None, "", "\t")
    assert orders.landing.sequence_column == "dms_seq"


def test_names_stay_texts_whatever_yaml_makes_of_them() -> None:
    orders = only(FULL)
    assert orders.key == ("no",)
    assert {name: str(kind) for name, kind in (orders.columns or {}).items()} == {
        "no": "integer",
        "on": "string",
        "true": "decimal(12,2)",
        "2024-01-01": "long",
    }


def test_json_says_the_same(tmp_path: Path) -> None:
    document = {"tables": {"a.b": {"key": ["id"], "columns": {"id": "int"}, "landing": {"format": "csv"}}}}
    path = tmp_path / "tables.json"
    path.write_text(json.dumps(document, indent="\t"), encoding="utf-8-sig")
    assert load_contracts(path) == load_contracts(
        "tables: {a.b: {key: [id], columns: {id: int}, landing: {format: csv}}}"
    )


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("", "(whole file)", "mapping"),
        ("tables: {}", "tables", "at least one table"),
        ("tables:", "tables", "mapping"),
        ("landing: {format: csv}", "tables", "missing"),
        ("tables: [a]", "tables", "mapping"),
        ("landing: 3\ntables: {x.y: }", "landing", "mapping"),
        ("landing: {format: cs}\ntables: {x.y: }", "landing.format", "'parquet' or 'csv'"),
        ("landing: {formt: csv}\ntables: {x.y: }", "landing.formt", "before_image_prefix"),
        ("table: {}\ntables: {x.y: }", "table", "allowed are landing, deletion_vectors, tables"),
        ("landing: {header: 3}\ntables: {x.y: }", "landing.header", "true or false"),
        ("landing: {delimiter: ab}\ntables: {x.y: }", "landing.delimiter", "one ASCII character"),
        ("landing: {delimiter: '\"'}\ntables: {x.y: }", "landing.delimiter", "one ASCII character"),
        ("landing: {null_value: 'a,b'}\ntables: {x.y: }", "landing", "must not contain the delimiter"),
        ("landing: {sequence_column: s, timestamp_column: S}\ntables: {x.y: }", "landing", "differ from each other"),
        ("landing: {sequence_column: Op}\ntables: {x.y: }", "landing", "and from Op"),
        ("tables: {x.y: {columns: {_Catchment_Seq: int}}}", "tables.x.y.columns._Catchment_Seq", "not _catchment_seq"),
        ("landing: {sequence_column: ''}\ntables: {x.y: }", "landing.sequence_column", "not empty"),
        ("tables: {x: }", "tables.x", "schema.table"),
        ("tables: {x.y/z: }", "tables.x.y/z", "schema.table"),
        ("tables: {x.y: 5}", "tables.x.y", "mapping"),
        (
            "tables: {x.y: {keys: [id]}}",
            "tables.x.y.keys",
            "allowed are key, columns, renamed, landing, engine, deletion_vectors",
        ),
        ("tables: {x.y: {key: id}}", "tables.x.y.key", "list of column names"),
        ("tables: {x.y: {key: [null]}}", "tables.x.y.key.0", "text"),
        ("tables: {x.y: {key: [id, ID]}}", "tables.x.y.key", "'id'"),
        ("tables: {x.y: {key: [b], columns: {a: int}}}", "tables.x.y.key", "columns a"),
        ("tables: {x.y: {partition_by: [a, A]}}", "tables.x.y.partition_by", "'a'"),
        ("tables: {x.y: {partition_by: [b], columns: {a: int}}}", "tables.x.y.partition_by", "columns a"),
        ("tables: {x.y: {partition_by: [a], columns: {a: double}}}", "tables.x.y.partition_by", "this one is double"),
        ("tables: {x.y: {columns: {}}}", "tables.x.y.columns", "at least one column"),
        ("tables: {x.y: {columns: {a: it}}}", "tables.x.y.columns.a", "decimal(p,s)"),
        ("tables: {x.y: {columns: {a: int, A: int}}}", "tables.x.y.columns", "'a'"),
        ("tables: {x.y: {columns: {_catchment_seq: int}}}", "tables.x.y.columns._catchment_seq", "not _catchment_seq"),
        ("tables: {x.y: {columns: {~op: int}}}", "tables.x.y.columns.~op", "not beginning with ~"),
        ("landing: {sequence_column: s}\ntables: {x.y: {columns: {s: int}}}", "tables.x.y.columns.s", "source only"),
        ("tables: {x.y: {landing: {foo: 5}}}", "tables.x.y.landing.foo", "allowed are format"),
        ("tables: {x.y: {landing: {header: 5}}}", "tables.x.y.landing.header", "true or false"),
        ("tables: {x.y: {landing: csv}}", "tables.x.y.landing", "mapping"),
        ("tables: {x.y: , x.y: }", "line 1, column 17", "YAML"),
        ("tables: [", "line 1, column 10", "YAML"),
        ("[a]: b", "line 1, column 1", "YAML"),
        ('{"tables": {"x.y": {}, "x.y": {}}}', "x.y", "once"),
        ('{"tables": {"x.y": {"key": [1]}}}', "tables.x.y.key.0", "text"),
        ('{"tables": {"x.y": {"columns": {"a": 5}}}}', "tables.x.y.columns.a", "decimal(p,s)"),
    ],
)
def test_an_error_names_file_field_and_what_is_allowed(text: str, field: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_contracts(text, source_name="tables.yaml")
    assert (caught.value.file, caught.value.field) == ("tables.yaml", field)
    assert said in caught.value.allowed
    assert str(caught.value).startswith(f"tables.yaml: {field}: ")


def test_a_file_that_cannot_be_read_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_contracts(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"tables: {\xff.a: }")
    with pytest.raises(SettingsError, match="UTF-8"):
        load_contracts(tmp_path / "latin.yaml")


def test_deletion_vectors_are_asked_for_by_table_or_for_all() -> None:
    text = "deletion_vectors: true\ntables: {x.y: , x.z: {deletion_vectors: false}}"
    assert [each.deletion_vectors for each in load_contracts(text).values()] == [True, False]
    assert not load_contracts("tables: {x.y: }")[TableName("x", "y")].deletion_vectors
