"""Leases by file lock. Scope: catchment.leases.file across processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from catchment.errors import LeaseTaken
from catchment.leases.file import FileLease

HOLD = """
import sys
from pathlib import Path
from catchment.leases.file import FileLease
held = FileLease(Path(sys.argv[1])).acquire("s.t")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    program = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LeaseTaken, match=f"process {holder.pid}"):
            FileLease(tmp_path).acquire("s.t")
        FileLease(tmp_path).acquire("s.other").release()
        holder.kill()
    held = FileLease(tmp_path, wait=True).acquire("s.t")
    assert held.release() is True


def test_a_waiting_applier_gets_its_turn(tmp_path: Path) -> None:
    first = FileLease(tmp_path).acquire("s.t")
    program = [sys.executable, "-c", HOLD.replace("sys.argv[1])", "sys.argv[1]), wait=True"), str(tmp_path)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as second:
        assert second.stdout is not None
        assert second.stdin is not None
        first.release()
        assert second.stdout.readline() == "held\n"
        second.stdin.close()
