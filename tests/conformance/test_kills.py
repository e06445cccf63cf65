"""A process that dies at any call to storage or lease leaves an exact table, and the next one finishes its work.

Scope: real processes, real SIGKILL, an engine over scripted histories of two commits each.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import script
from tests.conformance.engines import Engine

ROOT = Path(__file__).parents[2]


def check_kills(tmp_path: Path, engine: Engine, played: str, *more: str) -> None:
    program = [sys.executable, "-m", "tests.conformance.kill_points", str(tmp_path), engine.name, played, *more]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > min(5, engine.most // 6)


@pytest.mark.parametrize("played", script.SCRIPTS)
def test_a_kill_at_any_point_leaves_an_exact_table(tmp_path: Path, first_engine: Engine, played: str) -> None:
    check_kills(tmp_path, first_engine, played)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("played", script.SCRIPTS)
def test_a_kill_at_each_call_of_each_engine_leaves_an_exact_table(tmp_path: Path, engine: Engine, played: str) -> None:
    check_kills(tmp_path, engine, played, "each")
