"""Where each effective setting comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catchment.settings.load import layers, load_settings

BUILT_IN = "built in"


@dataclass(frozen=True)
class Effective:
    """A setting by its dotted name, its value, and the part of cdk.json (or ``built in``) that says it."""

    name: str
    value: Any
    origin: str


def effective_settings(path: Path, environment: str, flags: Mapping[str, object] | None = None) -> list[Effective]:
    """Every setting of an environment, in the order of the models. Raises what load_settings raises."""
    settings = load_settings(path, environment, flags)
    said: list[tuple[str, Mapping[str, Any]]] = [*layers(path, environment), ("-c", flags or {})]
    return [
        Effective(".".join(place), value, _origin(place, said))
        for place, value in _leaves(settings.model_dump(mode="json"))
        if place != ("environment",)
    ]


def _origin(place: tuple[str, ...], said: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """The last part that has this value, or the object or list it lies in."""
    for name, part in reversed(said):
        if _has(part, place):
            return str(name)
    return BUILT_IN


def _has(part: Any, place: tuple[str, ...]) -> bool:
    for name in place:
        if not isinstance(part, Mapping) or name not in part:
            return False
        part = part[name]
    return True


def _leaves(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, (*place, name))
    else:
        yield place, value
