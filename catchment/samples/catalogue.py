"""The sample systems by name."""

from __future__ import annotations

from typing import Literal, get_args

from catchment.engines.base import Samples
from catchment.samples.commerce import commerce
from catchment.samples.people import people
from catchment.samples.tables import SampleSystem
from catchment.samples.zoo import type_zoo

SampleKind = Literal["commerce", "people", "type-zoo"]
"""``commerce`` is the sales database, ``people`` one small table, ``type-zoo`` has the edge values of every type."""

KINDS: tuple[str, ...] = get_args(SampleKind)
DEFAULT_SEED = 7

_SYSTEMS = {"commerce": commerce, "people": people}


def sample_system(kind: str, samples: Samples) -> SampleSystem:
    """A system of KINDS on the engine whose samples these are. Raises KeyError for another."""
    return type_zoo(samples.zoo) if kind == "type-zoo" else _SYSTEMS[kind]
