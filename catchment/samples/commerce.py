"""The sales database: clients with addresses, sales people, products, sales with items."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from catchment.samples.columns import (
    Column,
    amount,
    beside,
    day,
    document,
    fraction,
    moment,
    number,
    parent,
    pick,
    sometimes,
    text,
    whole,
)
from catchment.samples.tables import SampleSystem, SampleTable

PEOPLE, PRODUCTS, CLIENTS, ADDRESSES, SALES = 0.0004, 0.01, 0.1, 0.12, 0.2565
"""Parts of all rows; what is left is items, two for each sale."""

LINES = ((0, 1), (0, 2), (0, 3), (1, 1), (2, 1), (2, 2), (3, 1), (3, 2))
"""Sale and line of the items of four sales after each other."""

SECOND = timedelta(seconds=1)

FIRST_NAMES = pick("Ana", "Björn", "Chloé", "Dmitri", "Éva", "Farid", "Grace", "Håkon")
LAST_NAMES = pick("Álvarez", "Brandt", "Costa", "O'Neil", "Ibáñez", "Weiß", "Kowalski", "Nguyễn")
PLACES = (
    ("Lisboa", "PT"),
    ("København", "DK"),
    ("Praha", "CZ"),
    ("Łódź", "PL"),
    ("Malmö", "SE"),
    ("Bern", "CH"),
    ("Graz", "AT"),
    ("Nice", "FR"),
)


def _email(_seed: str, rows: range) -> list[object]:
    return [f"client{row}@example.com" for row in rows]


def _sku(_seed: str, rows: range) -> list[object]:
    return [f"SKU-{row:07}" for row in rows]


def _sale(_seed: str, rows: range) -> list[object]:
    return [1 + (row - 1) // 8 * 4 + LINES[(row - 1) % 8][0] for row in rows]


def _line(_seed: str, rows: range) -> list[object]:
    return [LINES[(row - 1) % 8][1] for row in rows]


sales_people = SampleTable(
    "sales_people",
    (
        Column("id", "integer", number()),
        Column("name", "varchar(80)", text("{} {}", FIRST_NAMES, LAST_NAMES)),
        Column("region", "varchar(20)", pick("north", "south", "east", "west")),
        Column("hired", "date", day(date(2005, 1, 1), 4096)),
        Column("commission", "real", fraction(1024, 4096)),
    ),
    key=("id",),
    share=PEOPLE,
)

products = SampleTable(
    "products",
    (
        Column("id", "integer", number()),
        Column("sku", "varchar(20)", _sku),
        Column(
            "name",
            "varchar(80)",
            text(
                "{} {}",
                pick("Lamp", "Desk", "Chair", "Rug, hand-made", 'Shelf 24"', "Sofa", "Clock", "Vase"),
                whole(0, 255),
            ),
        ),
        Column("price", "numeric(10,2)", amount(262_144)),
        Column("weight_kg", "double precision", sometimes(None, 16, fraction(1_048_576, 7.0)), nullable=True),
        Column(
            "attributes",
            "jsonb",
            sometimes(
                None, 32, document(colour=pick("red", "grün", "blue", "black"), width=whole(1, 99), fits=pick(None, []))
            ),
            nullable=True,
        ),
        Column("discontinued", "boolean", sometimes(True, 64, pick(False))),
    ),
    key=("id",),
    share=PRODUCTS,
)

clients = SampleTable(
    "clients",
    (
        Column("id", "bigint", number()),
        Column("name", "varchar(80)", text("{} {}", FIRST_NAMES, LAST_NAMES)),
        Column("email", "varchar(120)", sometimes(None, 16, sometimes("", 256, _email)), nullable=True),
        Column("segment", "varchar(20)", pick("retail", "wholesale", "public", "partner")),
        Column("credit_limit", "numeric(12,2)", sometimes(None, 8, amount(16_777_216)), nullable=True),
        Column("active", "boolean", sometimes(False, 32, pick(True))),
        Column(
            "notes",
            "text",
            pick('calls back,\nsays "soon"', "", *[None] * 14),
            nullable=True,
        ),
        Column(
            "created_at",
            "timestamptz",
            moment(datetime(2015, 1, 1, tzinfo=UTC), 268_435_456, timedelta(seconds=1, microseconds=17)),
        ),
        Column(
            "updated_at",
            "timestamp",
            sometimes(None, 4, moment(datetime(2024, 1, 1), 33_554_432, SECOND)),
            nullable=True,
        ),
    ),
    key=("id",),
    share=CLIENTS,
)

client_addresses = SampleTable(
    "client_addresses",
    (
        Column("id", "bigint", number()),
        Column("client_id", "bigint", parent(CLIENTS / ADDRESSES)),
        Column("kind", "varchar(10)", pick("billing", "shipping", "office", "other")),
        Column(
            "street",
            "varchar(120)",
            text("{} {}", pick("High Street", "Hauptstraße", "Rue de l'Église", "Calle Mayor"), whole(0, 255)),
        ),
        Column("city", "varchar(60)", pick(*(city for city, _ in PLACES))),
        Column("postcode", "char(10)", sometimes(None, 64, text("{:05}", whole(0, 65_535))), nullable=True),
        Column("country", "char(2)", beside("city", pick(*(country for _, country in PLACES)))),
        Column("valid_from", "date", day(date(2016, 1, 1), 2048)),
    ),
    key=("id",),
    share=ADDRESSES,
)

sales = SampleTable(
    "sales",
    (
        Column("id", "bigint", number()),
        Column("client_id", "bigint", parent(CLIENTS / SALES)),
        Column("sales_person_id", "integer", sometimes(None, 16, parent(PEOPLE / SALES)), nullable=True),
        Column(
            "sold_at",
            "timestamptz",
            moment(datetime(2020, 1, 1, tzinfo=UTC), 134_217_728, timedelta(seconds=1, microseconds=1)),
        ),
        Column("status", "varchar(12)", pick("new", "paid", "packed", "sent", "done", "done", "done", "returned")),
        Column("channel", "varchar(10)", sometimes(None, 32, pick("web", "shop", "phone", "agent")), nullable=True),
        Column("total", "numeric(14,2)", amount(33_554_432)),
    ),
    key=("id",),
    share=SALES,
)

sales_items = SampleTable(
    "sales_items",
    (
        Column("sale_id", "bigint", _sale),
        Column("line_no", "smallint", _line),
        Column("product_id", "integer", parent(PRODUCTS / (2 * SALES))),
        Column("quantity", "integer", whole(1, 16)),
        Column("unit_price", "numeric(10,2)", amount(262_144)),
        Column("discount", "numeric(5,4)", sometimes(None, 4, amount(2048, digits=4)), nullable=True),
    ),
    key=("sale_id", "line_no"),
    share=2 * SALES,
)

commerce = SampleSystem(
    "sales", (sales_people, products, clients, client_addresses, sales, sales_items), default_rows=500_000
)
