"""Properties of CSV reading: what an independent writer wrote is read back; of what was damaged nothing is lost."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from catchment.landing import csv_stage
from catchment.landing.csv_stage import CsvStage

if TYPE_CHECKING:
    from conftest import Shelf

SEQ = "202603010905102500000000000000{:05d}"
TS = "2026-03-01 09:05:10.250431"
NAMES = ["id", "na me", "Total", "ok", "note"]
TYPES = ["int", "string", "decimal(12,2)", "boolean", "string"]
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.sampled_from(
    ["", " ", '"', '""', ",", "\n", "\r\n", "\r", "NULL", "I", TS, SEQ.format(7), "a,b\nI," + TS + ",1,"]
)
ROWS = st.tuples(
    st.integers(-(2**31), 2**31 - 1),
    st.none() | TEXTS,
    st.none() | st.decimals(-9999999999, 9999999999, places=2),
    st.none() | st.booleans(),
    st.none() | TEXTS,
)


@dataclass
class Writer:
    """Writes CSV as DMS does, with the freedoms seen in the wild."""

    columns: int = 5
    sequence: bool = True
    before: bool = True
    commit: bool = True
    operation: bool = True
    header: bool = False
    delimiter: str = ","
    null: str = ""
    end: str = "\n"
    last_end: str = "\n"
    bom: bool = False
    quote_all: bool = False
    load: bool = False

    def __post_init__(self) -> None:
        self.operation = self.operation or not self.load  # changes always carry it

    def record(self, op: str, row: tuple[Any, ...], number: int, old: int | None) -> str:
        parts: list[Any] = [
            *([op] if self.operation else []),
            *([TS] if self.commit else []),
            *row[: self.columns],
            *(["" if self.load else SEQ.format(number)] if self.sequence else []),
            *([old] if self.before else []),
        ]
        return self.delimiter.join(map(self.value, parts))

    def value(self, value: object) -> str:
        if value is None:
            return self.null
        text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        special = text == self.null or any(c in text for c in (self.delimiter, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if special or self.quote_all else text

    def names(self) -> str:
        found = [
            *(["Op"] if self.operation else []),
            *(["dms_ts"] if self.commit else []),
            *NAMES[: self.columns],
            *(["dms_seq"] if self.sequence else []),
            *(["BI_id"] if self.before else []),
        ]
        return self.delimiter.join(map(self.value, found))

    def file(self, records: list[str]) -> bytes:
        lines = [*([self.names()] if self.header else []), *records]
        return (("\ufeff" if self.bom else "") + self.end.join(lines) + (self.last_end if lines else "")).encode()

    def landing(self) -> str:
        lines = [f"format: csv, delimiter: {json.dumps(self.delimiter)}, null_value: {json.dumps(self.null)}"]
        lines += ["timestamp_column: dms_ts"] if self.commit else []
        lines += ["sequence_column: dms_seq"] if self.sequence else []
        return ", ".join([*lines, "before_image_prefix: BI_"] if self.before else lines)


WRITERS = st.builds(
    Writer,
    columns=st.integers(1, 5),
    sequence=st.booleans(),
    before=st.booleans(),
    commit=st.booleans(),
    operation=st.booleans(),
    header=st.booleans(),
    delimiter=st.sampled_from([",", "|", ";", "\t"]),
    null=st.sampled_from(["", "NULL", "\\N"]),
    end=st.sampled_from(["\n", "\r\n"]),
    last_end=st.sampled_from(["", "\n", "\r\n", "\n\n"]),
    bom=st.booleans(),
    quote_all=st.booleans(),
    load=st.booleans(),
)
OPERATIONS = st.sampled_from(["I", "U", "D"])
quick = settings(max_examples=80, deadline=None)


def agree(shelf: Shelf, writer: Writer, declared: int) -> None:
    columns = ", ".join(f"{n}: '{t}'" for n, t in list(zip(NAMES, TYPES, strict=True))[:declared])
    shelf.agree(f"{{key: [id], columns: {{{columns}}}}}", writer.landing())


def expected(writer: Writer, op: str, row: tuple[Any, ...], number: int, old: int | None) -> tuple[Any, ...]:
    """What the reader has to deliver, said without the reader."""
    token = "" if writer.load else SEQ.format(number) if writer.sequence else f"202603010906102540{number:017d}"
    commit = dt.datetime.fromisoformat(TS) if writer.commit else None
    return ("I" if writer.load else op, token, number, commit, *row[: writer.columns], old if writer.before else None)


@quick
@given(writer=WRITERS, data=st.data())
def test_what_an_independent_writer_wrote_is_read_back(writer: Writer, data: st.DataObject, long_shelf: Shelf) -> None:
    rows = data.draw(st.lists(ROWS, min_size=1, max_size=6))
    records, wanted = [], []
    for number, row in enumerate(rows, start=1):
        op = "I" if writer.load else data.draw(OPERATIONS)
        changed = op == "U" and writer.before and data.draw(st.booleans())
        old = data.draw(st.integers(0, 9).filter(lambda old, key=row[0]: old != key)) if changed else None
        records.append(writer.record(op, row, number, old))
        wanted.append(expected(writer, op, row, number, old))
    agree(long_shelf, writer, writer.columns)
    read = long_shelf.csv(writer.file(records), load=writer.load)
    assert read.rejects == []
    assert long_shelf.rows(read) == wanted
    assert read.said == set(NAMES[: writer.columns])


@quick
@given(data=st.data(), columns=st.integers(1, 5), before=st.booleans(), header=st.booleans())
def test_files_older_than_columns_and_before_images_are_read_as_what_they_are(
    data: st.DataObject, columns: int, before: bool, header: bool, long_shelf: Shelf
) -> None:
    writer = Writer(columns=columns, before=before, header=header)
    agree(long_shelf, Writer(), 5)
    rows = data.draw(st.lists(ROWS, min_size=1, max_size=4))
    ops = [data.draw(OPERATIONS) for _ in rows]
    records = [writer.record(op, row, number, None) for number, (op, row) in enumerate(zip(ops, rows, strict=True), 1)]
    read = long_shelf.csv(writer.file(records))
    assert read.said == set(NAMES[:columns])
    said = ", ".join(f'"{name}"' for name in NAMES[:columns])
    assert long_shelf.rows(read, f'{said}, "~old_0"') == [(*row[:columns], None) for row in rows]


DAMAGE = st.sampled_from(["cut", "extra field", "operation", "key", "no text"])
HARMLESS = st.text(st.sampled_from('ab ,"\n\r\té🚲'), max_size=10)
PLAIN_ROWS = st.tuples(
    st.integers(0, 10**6), HARMLESS, st.decimals(0, 1000, places=2), st.booleans(), st.none() | HARMLESS
)


def damaged(record: str, how: str, at: float) -> bytes:
    if how == "cut":
        return record.encode()[: 1 + int(at * (len(record.encode()) - 2))]
    if how == "extra field":
        return record.encode() + b",x"
    if how == "operation":
        return b"X" + record.encode()[1:]
    if how == "key":
        return record.encode().replace(f"{TS},".encode(), f"{TS},x".encode(), 1)
    return record.encode().replace(b",", b"\xff,", 1)


@quick
@given(rows=st.lists(st.tuples(PLAIN_ROWS, st.none() | st.tuples(DAMAGE, st.floats(0, 1))), min_size=1, max_size=8))
def test_of_damaged_files_every_record_is_delivered_or_rejected_by_number(
    rows: list[tuple[tuple[Any, ...], tuple[str, float] | None]], long_shelf: Shelf
) -> None:
    assume(sum(damage is None for _, damage in rows) * 2 > len(rows))
    # What follows an open quote and does not look like a record may be the rest of the quoted text: nobody can tell.
    assume(all(not (a and a[0] == "cut" and b) for (_, a), (_, b) in pairwise(rows)))
    writer = Writer()
    agree(long_shelf, writer, 5)
    records, wanted, lost = [], [], []
    for number, (row, damage) in enumerate(rows, start=1):
        record = writer.record("I", row, number, None)
        records.append(damaged(record, *damage) if damage else record.encode())
        if damage:
            lost.append(number)
        else:
            wanted.append(expected(writer, "I", row, number, None))
    read = long_shelf.csv(b"\n".join(records) + b"\n")
    assert [reject.row for reject in read.rejects] == lost
    assert long_shelf.rows(read) == wanted
    assert read.rows == len(rows)


@quick
@given(rows=st.lists(ROWS, max_size=5), writer=WRITERS)
def test_the_quick_and_the_careful_way_give_the_same_rows(
    rows: list[tuple[Any, ...]], writer: Writer, long_shelf: Shelf
) -> None:
    agree(long_shelf, writer, writer.columns)
    records = [writer.record("I", row, number, None) for number, row in enumerate(rows, start=1)]
    quickly = long_shelf.csv(writer.file(records), load=writer.load)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CsvStage, "_read_quickly", lambda *_: False)
        carefully = long_shelf.csv(writer.file(records), load=writer.load)
    assert long_shelf.rows(quickly) == long_shelf.rows(carefully)
    assert (quickly.rejects, carefully.rejects) == ([], [])


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.tuples(PLAIN_ROWS, st.booleans()), min_size=3, max_size=40), size=st.integers(100, 1000))
def test_a_file_read_in_parts_has_the_rows_of_the_whole(
    rows: list[tuple[tuple[Any, ...], bool]], size: int, long_shelf: Shelf
) -> None:
    writer = Writer()
    agree(long_shelf, writer, 5)
    records, wanted, lost = [writer.record("I", (1, "", 0, True, ""), 1, None)] * 20, [], []
    for number, (row, bad) in enumerate(rows, start=21):
        records.append(writer.record("I", row, number, None) + (",x" if bad else ""))
        if bad:
            lost.append(number)
        else:
            wanted.append(expected(writer, "I", row, number, None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_stage, "PART_BYTES", size)
        read = long_shelf.csv(writer.file(records))
    assert [reject.row for reject in read.rejects] == lost
    assert long_shelf.rows(read)[20:] == wanted
    assert read.rows == len(records)
