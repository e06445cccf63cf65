"""Columns of sample tables, and the values they get: the same for the same seed, whatever else is made.

Every column of a batch of rows has a random source of its own, which is asked equally often for each row. So a row's
values depend on the seed and on the row's number, not on how many rows there will be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

FEWEST = 40
"""No table of a system has fewer rows, so that the smallest one still has a bit of everything."""

Make = Callable[[str, range], Sequence[object]]
"""From a seed and the numbers of rows, which begin with 1, to their values; None is NULL."""


@dataclass(frozen=True)
class Column:
    """A column. Its ``type`` is one of standard SQL or PostgreSQL, which engines declare in their way.

    Or it is the engine's ``own``, with values as the engine spells them.
    """

    name: str
    type: str
    make: Make
    nullable: bool = False
    own: bool = False


def number() -> Make:
    """The row's number."""
    return lambda _seed, rows: rows


def whole(first: int, last: int) -> Make:
    """A whole number, both ends included."""
    span = last - first + 1
    return drawn(span, lambda step: first + step)


def pick(*choices: object) -> Make:
    """One of the choices; one that is named twice comes twice as often."""
    return drawn(len(choices), choices.__getitem__)


def amount(most: int, digits: int = 2) -> Make:
    """A Decimal from 0 to below ``most`` of its smallest units."""
    return drawn(most, lambda units: Decimal(units).scaleb(-digits))


def fraction(most: int, parts: float) -> Make:
    """A float from 0 to below ``most / parts``."""
    return drawn(most, lambda units: units / parts)


def day(first: date, days: int) -> Make:
    """A date, on the first of so many days or later."""
    return pick(*(first + timedelta(days=each) for each in range(days)))


def moment(first: datetime, steps: int, step: timedelta) -> Make:
    """A time up to so many steps after the first; an instant where the first has a time zone."""
    return drawn(steps, lambda count: first + count * step)


def document(**members: Make) -> Make:
    """A JSON document, as text."""

    def make(seed: str, rows: range) -> list[object]:
        values = zip(*(each(f"{seed}.{name}", rows) for name, each in members.items()), strict=True)
        return [json.dumps(dict(zip(members, row, strict=True)), ensure_ascii=False) for row in values]

    return make


def text(form: str, *parts: Make) -> Make:
    """``form`` with its places filled: ``text("{} {}", pick("a", "b"), whole(1, 9))``."""

    def make(seed: str, rows: range) -> list[object]:
        made = [part(f"{seed}.{place}", rows) for place, part in enumerate(parts)]
        return list(map(form.format, *made))

    return make


def sometimes(value: object, one_in: int, make: Make) -> Make:
    """``value`` in the place of what is made for about one of so many rows."""

    def made(seed: str, rows: range) -> list[object]:
        draw = draws(f"{seed}?")
        return [value if draw() * one_in < 1 else each for each in make(f"{seed}_", rows)]

    return made


def parent(share: float) -> Make:
    """The number of a row of a table with ``share`` rows for each row of this one, at most 1, and FEWEST in any case.

    It is among those that a system has which ends with this row.
    """
    return lambda seed, rows: [
        1 + int(draw() * max(FEWEST, int(row * share))) for draw in [draws(seed)] for row in rows
    ]


def drawn(count: int, value: Callable[[int], object]) -> Make:
    """What ``value`` makes of a number from 0 to below ``count``."""
    return lambda seed, rows: [value(int(draw() * count)) for draw in [draws(seed)] for _ in rows]


def draws(seed: str) -> Callable[[], float]:
    """Random numbers from 0 to below 1: those that Python promises not to change."""
    return Random(seed).random  # noqa: S311 - sample data


def beside(column: str, make: Make) -> Make:
    """What is made of the same random numbers as another column of the table."""

    def made(seed: str, rows: range) -> Sequence[object]:
        kind, table, _, batch = seed.split("/")
        return make("/".join((kind, table, column, batch)), rows)

    return made
