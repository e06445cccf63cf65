"""What a source database is filled with where it has nothing of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from catchment.engines import ENGINES
from catchment.samples.catalogue import DEFAULT_SEED, KINDS, SampleKind, sample_system
from catchment.samples.files import DEFAULT_ROWS, MOST_ROWS
from catchment.samples.tables import SampleSystem
from catchment.settings.values import Allowed, Part, Whole, not_allowed


class SampleSettings(Part):
    """A sample system, written by a function once the database is there."""

    kind: Annotated[SampleKind, Allowed(f"one of {', '.join(KINDS)}")]
    rows: Annotated[int, Whole(1, 1_000_000_000)] | None = None
    """About how many in all. Left out: 500,000 of commerce, 1,000 people; of the zoo it cannot be said. A bigger number
    adds rows with the next deployment, a smaller one takes none away."""
    seed: Annotated[int, Whole(0, 2**53 - 1)] = DEFAULT_SEED
    """The same seed makes the same rows on every engine. It cannot be changed while its rows are there."""

    @model_validator(mode="after")
    def _zoo_has_its_size(self) -> SampleSettings:
        if self.kind == "type-zoo" and self.rows is not None:
            raise not_allowed("allowed: none with type-zoo, which has the edge values of each type", field="rows")
        return self


class FileSamples(Part):
    """Sample files in the lake, to try file ingestion on."""

    kind: Literal["files"]
    rows: Annotated[int, Whole(1, MOST_ROWS)] = DEFAULT_ROWS
    """About how many of each system."""
    seed: Annotated[int, Whole(0, 2**53 - 1)] = DEFAULT_SEED


def _spelt_out(said: Any) -> Any:
    return {"kind": said} if isinstance(said, str) else said


Samples = Annotated[SampleSettings, BeforeValidator(_spelt_out, json_schema_input_type=SampleKind | SampleSettings)]
"""A kind alone takes the defaults."""

Files = Annotated[FileSamples, BeforeValidator(_spelt_out, json_schema_input_type=Literal["files"] | FileSamples)]
"""The same."""


def system_of(engine: object, samples: Any) -> SampleSystem | None:
    """The system that a source's part of a file asks for; None where it asks for none that is known."""
    kind = said.get("kind") if isinstance(said := _spelt_out(samples), Mapping) else None
    facts = ENGINES[engine].samples if isinstance(engine, str) and engine in ENGINES else None
    return sample_system(kind, facts) if isinstance(kind, str) and kind in KINDS and facts is not None else None


def with_tables(source: Any) -> Any:
    """A source's part of a file with the tables of its samples added; what is said of them comes on top."""
    if not isinstance(source, Mapping) or not isinstance(said := source.get("tables", {}), Mapping):
        return source
    system = system_of(source.get("engine"), source.get("samples"))
    if system is None:
        return source
    tables = {name: {"key": list(key)} for name, key in system.keys.items()}
    for name, table in said.items():
        known = tables.get(name)
        tables[name] = {**known, **table} if known is not None and isinstance(table, Mapping) else table
    return {**source, "tables": tables}
