"""CSV landing files, as the endpoint settings ask for them."""

from __future__ import annotations

import gzip
from typing import Any

TABLE = """CREATE TABLE shop.t (id int PRIMARY KEY, words text, r real, d double precision, n numeric(8,3), raw bytea,
    day date, at timestamptz)"""
ROW = """INSERT INTO shop.t VALUES (1, 'a "quoted", word' || chr(10) || 'x', 11, 0.1, 1.5, '\\x0aff', '2026-03-01',
    '2026-03-01 00:00:00.5+00'), (2, '', NULL, NULL, NULL, NULL, NULL, NULL)"""


def test_csv_is_written_as_dms_writes_it(shop: Any, replay: Any) -> None:
    shop.run(TABLE, ROW)
    replay.plan["s3"]["DataFormat"] = "csv"
    replay.begin()
    replay.load("shop.t")
    shop.run("UPDATE shop.t SET id = 3 WHERE id = 2", "DELETE FROM shop.t WHERE id = 1")
    replay.finish()
    changes, load = replay.files("shop.t")
    assert (load.name, changes.suffix) == ("LOAD00000001.csv", ".csv")
    stamp = "2026-03-01 09:00:00.000000"
    assert load.read_text() == (
        f'I,{stamp},1,"a ""quoted"", word\nx",+1.10000000e+01,+1.0000000000000001e-01,1.500,0aff,2026-03-01,'
        "2026-03-01 00:00:00.500000,,\n"
        f"I,{stamp},2,,,,,,,,,\n"
    )
    update, delete = (line.split(",") for line in changes.read_text().splitlines())
    assert (update[0], update[2:10], update[11], len(update[10])) == ("U", ["3", *[""] * 7], "2", 35)
    assert (delete[0], delete[2:10], delete[11], len(delete[10])) == ("D", ["1", *[""] * 7], "", 35)


def test_csv_may_have_names_another_delimiter_and_gzip_and_comes_in_pieces(shop: Any, replay: Any) -> None:
    shop.run("CREATE TABLE shop.t (id int PRIMARY KEY, words text)")
    shop.run("INSERT INTO shop.t SELECT g, repeat(md5(g::text), 40) FROM generate_series(1, 20000) g")
    replay.plan["s3"].update(
        DataFormat="csv",
        CompressionType="gzip",
        CsvDelimiter=";",
        CsvNullValue="NULL",
        AddColumnName=True,
        MaxFileSize=100,
        TimestampColumnName=None,
    )
    replay.begin()
    replay.load("shop.t")
    loads = replay.files("shop.t")
    assert [path.name for path in loads[:2]] == ["LOAD00000001.csv.gz", "LOAD00000002.csv.gz"]
    lines = [gzip.decompress(path.read_bytes()).decode().splitlines() for path in loads]
    assert {part[0] for part in lines} == {"Op;id;words;dms_seq;BI_id"}
    assert sum(len(part) - 1 for part in lines) == 20000
    assert lines[0][1].startswith("I;1;")
    assert lines[0][1].endswith(";;NULL")
