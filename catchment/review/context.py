"""What a rule knows besides the change it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from catchment.review.assembly import Assembly, Resource
from catchment.review.changes import Change
from catchment.review.effects import Effect, Level
from catchment.review.replacement import Key, Replacement


@dataclass(frozen=True)
class Context:
    """Both assemblies, what is replaced, and the rows of tables (``schema.table``) where a report told them."""

    before: Assembly
    after: Assembly
    replaced: Mapping[Key, Replacement]
    rows: Mapping[str, int] = field(default_factory=dict)
    changed: frozenset[Key] = frozenset()
    """Stack and logical id of the resources whose own template differs."""

    def replacement(self, change: Change) -> Replacement | None:
        """Why the resource is made anew; None where it is not."""
        return self.replaced.get(change.key)

    def about(self, tables: Iterable[str]) -> str:
        """``14 tables (≈ 212 M rows)``; without the rows where those of one table are not known."""
        named = list(tables)
        counted = [self.rows.get(table) for table in named]
        words = f"{len(named)} table{'s' if len(named) != 1 else ''}"
        if named and all(count is not None for count in counted):
            words += f" (≈ {short(sum(count or 0 for count in counted))} rows)"
        return words


Rule = Callable[[Change, Context], Iterator[Effect]]


def effect(level: Level, resource: Resource, words: str, source: str = "") -> Effect:
    """An effect on a resource."""
    return Effect(level, resource.stack, resource.name, words, source)


def short(number: int) -> str:
    """A number in thousands, millions or milliards: ``212 M``."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= size:
            figure = number / size
            return f"{figure:.0f} {unit}" if figure >= 10 else f"{figure:.1f} {unit}"
    return str(number)
