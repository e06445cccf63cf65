"""Transactions of the hard cases that MySQL does another way than PostgreSQL, or has alone."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from local.source import hard_work, sales_work
from local.source.database import Kind
from local.source.hard_work import EVERY, EVOLVING, ORDER
from local.source.mysql_types import COLUMNS
from local.source.plan import Change, Plan
from local.source.pools import Pools

CASELESS = "hard.caseless_key"


def change_case_of_keys(plan: Plan, rng: Random, pools: Pools) -> None:
    """Keys become others by their bytes, which the unique index holds equal: by case, accents, trailing blanks."""
    old = pools.caseless.take(rng)
    for new in (old.swapcase(), f"{old.swapcase()} ", old.replace("é", "e").replace("ñ", "Ñ"), f"{old}!"):
        if new != old and len(new) <= 64:
            plan.update(CASELESS, {"code": old}, {"code": new})
            old = new
    plan.update(CASELESS, {"code": old}, {"n": rng.randrange(2**31, 2**32)})
    pools.caseless.add(old)
    fresh = f"new {rng.getrandbits(40)}"
    plan.insert(CASELESS, {"code": fresh, "n": 0})
    plan.delete(CASELESS, {"code": pools.caseless.take(rng)})
    pools.caseless.add(fresh)


def copy_every_type(plan: Plan, rng: Random, pools: Pools) -> None:
    """A row of every type is written anew from another one: the extremes travel through the log, too."""
    every = pools[EVERY]
    model, new = every.pool.pick(rng), every.new()
    others = ", ".join(name for name in COLUMNS if name != "id")
    query = f"INSERT INTO hard.every_type (id, {others}) SELECT %s, {others} FROM hard.every_type WHERE id = %s"
    plan.run(EVERY, Change.INSERT, 1, query, [new, model])
    plan.update(EVERY, {"id": new}, {"c_int_u": rng.randrange(2**32), "c_text": rng.choice((None, "", "neu"))})
    plan.update(EVERY, {"id": every.pool.take(rng)}, {"id": every.new()})
    plan.delete(EVERY, {"id": every.pool.take(rng)})


def widen_columns(plan: Plan, _rng: Random, pools: Pools) -> None:
    """Columns get wider types."""
    if pools.evolved["counter"] != "bigint":
        plan.define(
            f"ALTER TABLE {plan.quoted(EVOLVING)} MODIFY counter bigint, MODIFY name varchar(100),"
            " MODIFY price decimal(12, 4)"
        )
        pools.evolved["counter"] = "bigint"


_OF_POSTGRESQL = (hard_work.copy_every_type,)
KINDS: Mapping[Kind, int] = {
    **sales_work.WORK,
    **{kind: weight for kind, weight in hard_work.WORK.items() if kind not in _OF_POSTGRESQL},
    copy_every_type: 3,
    change_case_of_keys: 3,
}
"""The kinds of transactions, and how often each comes compared with the others."""
DEFINITIONS: Mapping[int, Kind] = {60: hard_work.add_column, 120: widen_columns}
"""The transactions, by their number, that change a table's definition."""
TRUNCATION: Kind = hard_work.refill
TRUNCATED = ORDER
