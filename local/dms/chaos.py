"""The adversary: what DMS and S3 may do and rarely do, decided by a seed.

A decision depends on the seed, the table and the number of the file, never on time: the same seed gives the same
mischief to the same files.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Mischief:
    """What happens to one change file.

    ``split``: its rows come in two files, divided at this fraction. ``duplicate``: its content comes once more under
    another name. ``hold``: it is uploaded after the table's next file. ``repeat``: the same object is put again, so
    that its event comes twice. ``restart``: the stream is cut before its position is saved, so that the interval is
    delivered again.
    """

    split: float | None = None
    duplicate: bool = False
    hold: bool = False
    repeat: bool = False
    restart: bool = False


NONE = Mischief()


class Chaos:
    """Decides for a seed; without one, nothing ever happens."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed

    def for_file(self, table: str, ordinal: int) -> Mischief:
        """The mischief done to a table's change file of that number, counted from 1.

        Example: ``Chaos(7).for_file("shop.orders", 3)``
        """
        if self._seed is None:
            return NONE
        dice = random.Random(f"{self._seed}/{table}/{ordinal}")  # noqa: S311  a game, not a secret
        rolls = [dice.random() for _ in range(5)]
        return Mischief(
            split=dice.uniform(0.1, 0.9) if rolls[0] < 0.2 else None,
            duplicate=rolls[1] < 0.15,
            hold=rolls[2] < 0.2,
            repeat=rolls[3] < 0.15,
            restart=rolls[4] < 0.03,
        )
