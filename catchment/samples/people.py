"""A small table of people."""

from __future__ import annotations

from catchment.samples.columns import Column, number, pick, text, whole
from catchment.samples.commerce import FIRST_NAMES, LAST_NAMES, PLACES
from catchment.samples.tables import SampleSystem, SampleTable

people_table = SampleTable(
    "people",
    (
        Column("id", "integer", number()),
        Column("name", "varchar(80)", text("{} {}", FIRST_NAMES, LAST_NAMES)),
        Column("age", "integer", whole(0, 99)),
        Column("gender", "varchar(10)", pick("female", "male", "other")),
        Column("city", "varchar(60)", pick(*(city for city, _ in PLACES))),
    ),
    key=("id",),
    share=1.0,
)

people = SampleSystem("hr", (people_table,), default_rows=1000)
