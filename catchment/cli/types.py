"""``catchment types``: what becomes of a source's types."""

from __future__ import annotations

from collections.abc import Sequence

from catchment.cli.show import show
from catchment.engines import SOURCE_TYPES
from catchment.errors import SettingsError

_COLUMNS = ("declared", "dms", "delta", "lost on the way")


def types(engine: str, declared: Sequence[str], form: str) -> None:
    """Print one line a type. Raises SettingsError for an unknown engine, TypeRefused for a type that is not carried."""
    if engine not in SOURCE_TYPES:
        raise SettingsError("types", "ENGINE", engine, f"allowed are {', '.join(SOURCE_TYPES)}")
    known = SOURCE_TYPES[engine]
    found = [(text, known.dms_type(text)) for text in declared or known.documented]
    show(_COLUMNS, [(text, each.name, each.delta, each.narrows or "") for text, each in found], form)
