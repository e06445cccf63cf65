"""``catchment settings``: the effective settings of an environment, and where each comes from."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from catchment.cli.show import show
from catchment.settings.origin import effective_settings
from catchment.settings.schema import json_schema


def settings(file: Path, environment: str, form: str) -> None:
    """Print one line a setting. Raises SettingsError for what the file may not say."""
    rows = [(found.name, _text(found.value), found.origin) for found in effective_settings(file, environment)]
    show(("setting", "value", "from"), rows, form)


def schema() -> None:
    """Print the JSON Schema of cdk.json."""
    sys.stdout.write(json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
