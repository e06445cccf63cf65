"""``catchment types``: what becomes of a source's types."""

from __future__ import annotations

from collections.abc import Sequence

from catchment.cli.show import show
from catchment.engines import ENGINES
from catchment.errors import SettingsError

_COLUMNS = ("declared", "dms", "delta", "lost on the way")


def types(engine: str, declared: Sequence[str], form: str) -> None:
    """Print one line a type. Raises SettingsError for an unknown engine, TypeRefused for a type that is not carried."""
    if engine not in ENGINES:
        raise SettingsError("types", "ENGINE", engine, f"allowed are {', '.join(ENGINES)}")
    known = ENGINES[engine].types
    found = [(text, known.dms_type(text)) for text in declared or known.DOCUMENTED]
    show(_COLUMNS, [(text, each.name, each.delta, each.narrows or "") for text, each in found], form)
