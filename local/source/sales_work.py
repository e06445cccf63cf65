"""Transactions of the business: orders, clients, prices. Each takes a plan and fills it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from psycopg.types.json import Jsonb

from local.source.plan import Change, Plan
from local.source.pools import Pools

EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
STATES = ("new", "paid", "packed", "sent", "done", "returned")
NAMES = ("Ana", "Björn", "Chloé", "Dmitri", "Éva", "Farid", "Grace", "Håkon", "O'Neil", 'the "boss"')
CITIES = ("Lisboa", "København", "Łódź", "Malmö", "Bern")


def instant(rng: Random) -> datetime:
    """A moment to the microsecond that depends on the seed alone."""
    return EPOCH + timedelta(microseconds=rng.randrange(10**13))


def cents(rng: Random, most: int) -> Decimal:
    """An amount with two decimals."""
    return Decimal(rng.randrange(most)).scaleb(-2)


def place_sale(plan: Plan, rng: Random, pools: Pools) -> None:
    """A sale with its items and its client: three tables in one transaction."""
    sales = pools["sales.sales"]
    sale, client = sales.new(), pools["sales.clients"].pool.pick(rng)
    pools.lines[sale] = list(range(1, rng.randint(2, 6)))
    plan.insert("sales.sales", {"id": sale, "client_id": client, "sold_at": instant(rng), "status": "new", "total": 0})
    for line in pools.lines[sale]:
        plan.insert("sales.sales_items", {"sale_id": sale, "line_no": line, **_item(rng, pools)})
    plan.update("sales.sales", {"id": sale}, {"total": cents(rng, 10**7), "channel": rng.choice(("web", None))})
    plan.update("sales.clients", {"id": client}, {"updated_at": instant(rng).replace(tzinfo=None)})


def _item(rng: Random, pools: Pools) -> dict[str, Any]:
    return {
        "product_id": pools["sales.products"].pool.pick(rng),
        "quantity": rng.randint(1, 20),
        "unit_price": cents(rng, 10**6),
        "discount": rng.choice((None, Decimal("0.1250"), Decimal(0))),
    }


def advance_sales(plan: Plan, rng: Random, pools: Pools) -> None:
    """A few sales move on; one may be touched twice."""
    for _ in range(rng.randint(1, 4)):
        plan.update("sales.sales", {"id": pools["sales.sales"].pool.pick(rng)}, {"status": rng.choice(STATES)})


def amend_items(plan: Plan, rng: Random, pools: Pools) -> None:
    """Lines of a sale are changed, moved to another number (a key change of a composite key) and removed."""
    sale = pools["sales.sales"].pool.pick(rng)
    lines = pools.lines.setdefault(sale, [])
    for line in lines:
        plan.update("sales.sales_items", {"sale_id": sale, "line_no": line}, {"quantity": rng.randint(1, 99)})
    if lines:
        line = lines.pop()
        moved = line + 1000 if line < 1000 else line - 1000
        if rng.random() < 0.5:
            plan.update("sales.sales_items", {"sale_id": sale, "line_no": line}, {"line_no": moved})
            lines.append(moved)
        else:
            plan.delete("sales.sales_items", {"sale_id": sale, "line_no": line})
    plan.update("sales.sales", {"id": sale}, {"total": cents(rng, 10**7)})


def cancel_sale(plan: Plan, rng: Random, pools: Pools) -> None:
    """A sale is deleted with all its items."""
    if len(pools["sales.sales"].pool) < 2:
        return
    sale = pools["sales.sales"].pool.take(rng)
    for line in pools.lines.pop(sale, []):
        plan.delete("sales.sales_items", {"sale_id": sale, "line_no": line})
    plan.delete("sales.sales", {"id": sale})


def new_client(plan: Plan, rng: Random, pools: Pools) -> None:
    """A client with an address."""
    client = pools["sales.clients"].new()
    row = {"id": client, "name": rng.choice(NAMES), "email": rng.choice((None, "", f"new{client}@example.com"))}
    row |= {"segment": "retail", "credit_limit": cents(rng, 10**8), "active": rng.random() < 0.5}
    plan.insert("sales.clients", row | {"notes": rng.choice((None, "", "a\nb\\c")), "created_at": instant(rng)})
    address = {"id": pools["sales.client_addresses"].new(), "client_id": client, "kind": "office", "street": "Main 1"}
    address |= {"city": rng.choice(CITIES), "postcode": rng.choice((None, "1000", "1234567890")), "country": "PT"}
    plan.insert("sales.client_addresses", address | {"valid_from": date(2026, 1, 1 + rng.randrange(28))})


def change_client(plan: Plan, rng: Random, pools: Pools) -> None:
    """A client's columns become NULL, empty, or something else; an address goes away."""
    client = {"id": pools["sales.clients"].pool.pick(rng)}
    changes = {"email": rng.choice((None, "", "x@example.com")), "notes": rng.choice((None, "", "changed"))}
    plan.update("sales.clients", client, changes | {"credit_limit": rng.choice((None, cents(rng, 10**9)))})
    if len(pools["sales.client_addresses"].pool) > 20:
        plan.delete("sales.client_addresses", {"id": pools["sales.client_addresses"].pool.take(rng)})


def renumber_client(plan: Plan, rng: Random, pools: Pools) -> None:
    """A client gets another key, and an address follows it."""
    clients = pools["sales.clients"]
    old, new = clients.pool.take(rng), clients.new()
    plan.update("sales.clients", {"id": old}, {"id": new})
    plan.update("sales.client_addresses", {"id": pools["sales.client_addresses"].pool.pick(rng)}, {"client_id": new})


def change_prices(plan: Plan, rng: Random, pools: Pools) -> None:
    """One statement over several products, and one product's attributes."""
    products = sorted({pools["sales.products"].pool.pick(rng) for _ in range(8)})
    marks = ", ".join(["%s"] * len(products))
    query = f"UPDATE sales.products SET price = mod(round(price * 1.01 + 0.01, 2), 1000000) WHERE id IN ({marks})"
    plan.run("sales.products", Change.UPDATE, len(products), query, products)
    attributes = rng.choice((None, Jsonb({"größe": rng.randrange(99), "b": [1.50, None, "x"]})))
    plan.update("sales.products", {"id": products[0]}, {"attributes": attributes, "weight_kg": rng.random() / 3})


def hire_and_leave(plan: Plan, rng: Random, pools: Pools) -> None:
    """Someone joins the sales people and someone leaves."""
    people = pools["sales.sales_people"]
    row = {"id": people.new(), "name": rng.choice(NAMES), "region": "north", "hired": date(2026, 3, 1)}
    plan.insert("sales.sales_people", row | {"commission": rng.randrange(1000) / 4096})
    plan.delete("sales.sales_people", {"id": people.pool.take(rng)})


WORK = {
    place_sale: 24,
    advance_sales: 20,
    amend_items: 12,
    cancel_sale: 6,
    new_client: 6,
    change_client: 10,
    renumber_client: 3,
    change_prices: 4,
    hire_and_leave: 2,
}
"""The kinds of transactions, and how often each comes compared with the others."""
