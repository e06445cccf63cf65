"""Transactions of the hard cases, in schema hard. Each takes a plan and fills it."""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import UUID

from local.source.plan import Change, Plan
from local.source.pools import Pool, Pools
from local.source.sales_work import cents, instant

SWAPS, COMPOSITE, CODES, LARGE = "hard.swaps", "hard.composite_key", "hard.text_key", "hard.large_values"
EVERY, EVOLVING, MIXED, ORDER = "hard.every_type", "hard.evolving", "hard.Mixed Case", "hard.order"


def swap_keys(plan: Plan, rng: Random, pools: Pools) -> None:
    """Two rows swap their keys through a third one."""
    one, other = pools[SWAPS].pool.take(rng), pools[SWAPS].pool.take(rng)
    third = pools[SWAPS].unused()
    for old, new in ((one, third), (other, one), (third, other)):
        plan.update(SWAPS, {"id": old}, {"id": new})
    pools[SWAPS].pool.add(one)
    pools[SWAPS].pool.add(other)


def chain_keys(plan: Plan, rng: Random, pools: Pools) -> None:
    """A row moves away and another takes its key; a third one moves twice and is changed on the way."""
    first, second, third = (pools[SWAPS].pool.take(rng) for _ in range(3))
    plan.update(SWAPS, {"id": first}, {"id": pools[SWAPS].new()})
    plan.update(SWAPS, {"id": second}, {"id": first, "label": "took its place"})
    halfway, there = pools[SWAPS].unused(), pools[SWAPS].new()
    plan.update(SWAPS, {"id": third}, {"id": halfway})
    plan.update(SWAPS, {"id": halfway}, {"n": rng.randrange(10**6)})
    plan.update(SWAPS, {"id": halfway}, {"id": there})
    pools[SWAPS].pool.add(first)


def insert_again(plan: Plan, rng: Random, pools: Pools) -> None:
    """A key is deleted and inserted again; another is inserted, changed and deleted."""
    key = {"id": pools[SWAPS].pool.pick(rng)}
    plan.delete(SWAPS, key)
    plan.insert(SWAPS, {**key, "label": "again", "n": rng.randrange(10**6)})
    passing = {"id": pools[SWAPS].unused()}
    plan.insert(SWAPS, {**passing, "label": "passing", "n": 0})
    plan.update(SWAPS, passing, {"n": 1})
    plan.delete(SWAPS, passing)


def three_times(plan: Plan, rng: Random, pools: Pools) -> None:
    """One row three times in one transaction, the last time without any change."""
    key = {"id": pools[ORDER].pool.pick(rng)}
    plan.update(ORDER, key, {"select": "first", "group": rng.randrange(100)})
    plan.update(ORDER, key, {"select": f"second {rng.randrange(100)}", "user": rng.choice((None, ""))})
    plan.update(ORDER, key, {"id": key["id"]})


def roll_back(plan: Plan, rng: Random, pools: Pools) -> None:
    """Work that never happened."""
    plan.update(SWAPS, {"id": pools[SWAPS].pool.pick(rng)}, {"label": "rolled back"})
    plan.delete("sales.clients", {"id": pools["sales.clients"].pool.pick(rng)})
    plan.insert(ORDER, {"id": pools[ORDER].unused(), "select": "never"})
    plan.commits = False


def roll_back_to_savepoint(plan: Plan, rng: Random, pools: Pools) -> None:
    """A part of a transaction never happened."""
    key = {"id": pools[SWAPS].pool.pick(rng)}
    plan.update(SWAPS, key, {"label": "kept"})
    with plan.undone():
        plan.update(SWAPS, key, {"label": "undone"})
        plan.delete(SWAPS, key)
        plan.insert(ORDER, {"id": pools[ORDER].unused(), "select": "never"})
    plan.update(SWAPS, key, {"n": rng.randrange(10**6)})


def change_composite_keys(plan: Plan, rng: Random, pools: Pools) -> None:
    """One part of a composite key changes, or all of them; rows come, change and go."""

    def named(key: tuple[str, str, int]) -> dict[str, object]:
        return dict(zip(("tenant", "code", "n"), key, strict=True))

    old = pools.composite.take(rng)
    part = (old[0], old[1], rng.randrange(10**6, 10**9))
    whole = (str(UUID(int=rng.getrandbits(128))), rng.choice(("", " ", "x ", "X ", "é")), rng.randrange(10**6))
    moved, added = rng.choice((part, whole)), (whole[0], whole[1], whole[2] + 10**6)
    plan.update(COMPOSITE, named(old), {**named(moved), "note": "moved"})
    plan.insert(COMPOSITE, {**named(added), "amount": cents(rng, 10**8)})
    plan.update(COMPOSITE, named(pools.composite.pick(rng)), {"amount": rng.choice((None, cents(rng, 10**8)))})
    plan.delete(COMPOSITE, named(pools.composite.take(rng)))
    pools.composite.add(moved)
    pools.composite.add(added)


def change_text_keys(plan: Plan, rng: Random, pools: Pools) -> None:
    """Keys that differ in case, blanks or normalisation only follow each other."""
    old = pools.codes.take(rng)
    for new in (old.swapcase(), old.strip(), f"{old} ", f" {old}", f"{old}\u0308"):
        if new != old and len(new) <= 64 and new not in pools.codes:
            plan.update(CODES, {"code": old}, {"code": new})
            old = new
    plan.update(CODES, {"code": old}, {"title": rng.choice((None, "", "renamed"))})
    pools.codes.add(old)
    fresh = rng.choice(("K", "k", "ж", "\\")) + str(rng.getrandbits(40))
    plan.insert(CODES, {"code": fresh, "n": rng.randrange(100)})
    plan.delete(CODES, {"code": pools.codes.take(rng)})
    pools.codes.add(fresh)


def append_without_key(plan: Plan, rng: Random, _pools: Pools) -> None:
    """The same row twice, into a table that cannot tell them apart."""
    row = {"happened_at": instant(rng).replace(tzinfo=None), "kind": "click", "amount": cents(rng, 1000)}
    for _ in range(2):
        plan.insert("hard.no_key", row)


def touch_large_values(plan: Plan, rng: Random, pools: Pools) -> None:
    """Updates that leave values stored out of line as they are, and some that do not."""
    large = pools[LARGE]
    plan.update(LARGE, {"id": large.pool.pick(rng)}, {"touched": rng.randrange(10**6)})
    body = rng.choice((None, "", "short", rng.randbytes(4700).hex()))
    plan.update(LARGE, {"id": large.pool.pick(rng)}, {"body": body})
    plan.update(LARGE, {"id": large.pool.pick(rng)}, {"picture": rng.choice((None, b"", rng.randbytes(4500)))})
    old, new = large.pool.take(rng), large.new()
    plan.update(LARGE, {"id": old}, {"id": new})
    row = {"id": large.new(), "body": rng.randbytes(4700).hex(), "picture": rng.randbytes(4500), "touched": 0}
    plan.insert(LARGE, row)
    plan.delete(LARGE, {"id": large.pool.take(rng)})


def copy_every_type(plan: Plan, rng: Random, pools: Pools) -> None:
    """A row of every type is written anew from another one: the extremes travel through the stream, too."""
    every = pools[EVERY]
    model, new = every.pool.pick(rng), every.new()
    query = (
        "INSERT INTO hard.every_type SELECT copied.* FROM hard.every_type AS model,"
        " LATERAL jsonb_populate_record(model, jsonb_build_object('id', %s::int)) AS copied WHERE model.id = %s"
    )
    plan.run(EVERY, Change.INSERT, 1, query, [new, model])
    plan.update(EVERY, {"id": new}, {"c_integer": rng.randrange(10**9), "c_text": rng.choice((None, "", "neu"))})
    plan.update(EVERY, {"id": every.pool.take(rng)}, {"id": every.new()})
    plan.delete(EVERY, {"id": every.pool.take(rng)})


def write_spelt_names(plan: Plan, rng: Random, pools: Pools) -> None:
    """Names with blanks, capitals, umlauts and apostrophes."""
    mixed = pools[MIXED]
    plan.insert(MIXED, {"Id": mixed.new(), "Customer Name": "new", "Größe": cents(rng, 100), "semi-colon's": "a;b"})
    plan.update(MIXED, {"Id": mixed.pool.pick(rng)}, {"camelCase": rng.choice((None, "", "cC")), "UPPER": 1})
    plan.delete(MIXED, {"Id": mixed.pool.take(rng)})


def use_evolving(plan: Plan, rng: Random, pools: Pools) -> None:
    """Rows of the table whose definition changes, with values that only the new definition takes."""
    evolving = pools[EVOLVING]
    wide, has_channel = pools.evolved["counter"] == "bigint", "channel" in pools.evolved
    row: dict[str, Any] = {"id": evolving.new(), "name": "a name of more than twenty" if wide else "short"}
    row |= {"counter": rng.randrange(2**62 if wide else 2**31), "price": cents(rng, 10**6)}
    plan.insert(EVOLVING, row | ({"channel": rng.choice((None, "", "web"))} if has_channel else {}))
    changes = {"channel": rng.choice((None, "app", "shop"))} if has_channel else {"name": "updated"}
    plan.update(EVOLVING, {"id": evolving.pool.pick(rng)}, changes)
    plan.delete(EVOLVING, {"id": evolving.pool.take(rng)})


def add_column(plan: Plan, _rng: Random, pools: Pools) -> None:
    """A column comes, without a default: existing rows would not be sent again."""
    if "channel" not in pools.evolved:
        plan.define("ALTER TABLE hard.evolving ADD COLUMN channel varchar(10)")
        pools.evolved["channel"] = "varchar"


def widen_columns(plan: Plan, _rng: Random, pools: Pools) -> None:
    """Columns get wider types."""
    if pools.evolved["counter"] != "bigint":
        plan.define(
            "ALTER TABLE hard.evolving ALTER COLUMN counter TYPE bigint, ALTER COLUMN name TYPE varchar(100),"
            " ALTER COLUMN price TYPE numeric(12, 4)"
        )
        pools.evolved["counter"] = "bigint"


def refill(plan: Plan, rng: Random, pools: Pools) -> None:
    """A table is emptied at one stroke and filled anew, with a few of its old keys."""
    order = pools[ORDER]
    kept = [order.pool.take(rng) for _ in range(5)]
    plan.define(f"TRUNCATE TABLE {plan.quoted(ORDER)}")
    order.pool = Pool([*kept, *(order.unused() for _ in range(25))])
    for key in order.pool.keys:
        plan.insert(ORDER, {"id": key, "select": "refilled", "group": rng.randrange(100)})


WORK = {
    swap_keys: 3,
    chain_keys: 2,
    insert_again: 3,
    three_times: 3,
    roll_back: 2,
    roll_back_to_savepoint: 2,
    change_composite_keys: 3,
    change_text_keys: 3,
    append_without_key: 3,
    touch_large_values: 2,
    copy_every_type: 3,
    write_spelt_names: 2,
    use_evolving: 4,
}
"""The kinds of transactions, and how often each comes compared with the others."""
