"""The Spark job as a process of this machine, for ``catchment apply --engine spark``."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from catchment.errors import SettingsError
from catchment.landing.names import TableName

PYTHON = "CATCHMENT_SPARK_PYTHON"
"""Environment variable with the Python to run it in; left out: that of ``make setup-spark``."""

_ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = _ROOT / "glue_scripts" / "apply.py"
_TAIL = 3000


class SparkScript:
    """``glue_scripts/apply.py`` on these URLs. Raises SettingsError where there is no Spark on this machine."""

    def __init__(self, *, landing: str, lake: str, quarantine: str, tables: Path) -> None:
        named = os.environ.get(PYTHON)
        self._python = Path(named) if named else _ROOT / ".venv-spark" / "bin" / "python"
        if not (self._python.exists() and _SCRIPT.exists()):
            raise SettingsError(
                "apply", "--engine", "spark", f"there is no {self._python}; in Catchment's folder: make setup-spark"
            )
        urls = {"landing_url": landing, "silver_url": lake, "quarantine_url": quarantine}
        self._given = {**urls, "contracts_url": os.fspath(tables.resolve())}

    def apply(self, table: TableName) -> dict[str, Any]:
        """Apply one table: its account as JSON, or ``{"error": {"kind": …, "message": …}}``."""
        given = {**self._given, "schema": table.schema, "table": table.table}
        arguments = [text for name, value in given.items() for text in (f"--{name}", value)]
        with tempfile.TemporaryFile() as log:
            done = subprocess.run(
                [self._python, _SCRIPT, *arguments],
                env={**os.environ, "PYTHONPATH": os.fspath(_ROOT)},
                stdout=subprocess.PIPE,
                stderr=log,
                check=False,
            )
            log.seek(0)
            words = log.read().decode(errors="replace").strip()[-_TAIL:]
        lines = done.stdout.decode().splitlines()
        answer: dict[str, Any] = json.loads(lines[-1]) if lines else {}
        if done.returncode == 0 or "error" in answer:
            return answer
        return {"error": {"kind": "SparkFailed", "message": f"{table}: exit status {done.returncode}\n{words}"}}
