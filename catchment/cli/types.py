"""``catchment types``: what becomes of a source's types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from catchment.cli.show import show
from catchment.engines import ENGINES
from catchment.engines.dms_types import DmsType
from catchment.errors import SettingsError
from catchment.landing.types import DeltaType
from catchment.sinks.mysql.types import Types
from catchment.sinks.postgresql import types as postgresql
from catchment.sinks.redshift import types as redshift

_TARGETS: Mapping[str, Callable[[DeltaType], str]] = {
    "in PostgreSQL": lambda kind: postgresql.column_type(kind).removesuffix(' COLLATE "C"'),
    "in MySQL": lambda kind: Types("").column(kind).partition(" ")[0],
    "in Redshift": redshift.column_type,
}
"""The types of replicas and warehouse, without collations."""


def types(engine: str, declared: Sequence[str], form: str) -> None:
    """Print one line a type. Raises SettingsError for an unknown engine, TypeRefused for a type that is not carried."""
    if engine not in ENGINES:
        raise SettingsError("types", "ENGINE", engine, f"allowed are {', '.join(ENGINES)}")
    known = ENGINES[engine].types
    found = [(text, known.dms_type(text)) for text in declared or known.DOCUMENTED]
    columns = ("declared", "dms", "delta", *_TARGETS, "lost on the way")
    show(columns, [(text, each.name, each.delta, *_held(each), each.narrows or "") for text, each in found], form)


def _held(each: DmsType) -> list[str]:
    kind = DeltaType.parse(each.delta)
    return [column_type(kind) for column_type in _TARGETS.values()]
