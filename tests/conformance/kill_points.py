"""Run as a program: apply a landing zone and die by SIGKILL at the n-th call to storage or lease, for every n.

    python -m tests.conformance.kill_points FOLDER ENGINE SCRIPT [each]

Each death, and the checks after it, happen in forks of a process whose libraries have started no threads yet. Ends
with the number of points on its output; a check that fails ends it with the traceback.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.conformance import script
from tests.conformance.calls import Calls
from tests.conformance.engines import ENGINES, Engine
from tests.conformance.script import Script
from tests.conformance.table import Table


def in_child(work: Callable[[], None]) -> int:
    """Run in a fork; 0 if it ended well, else its code or minus the signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def points(start: Table, root: Path, played: Script, *, each: bool) -> list[int]:
    """The calls to die at, before they are made, counted in a child. Not ``each``: those with an effect."""
    found = root / "points"

    def count() -> None:
        calls = Calls()
        played.work(script.copy(start, root / "counted"), calls)
        chosen = sorted({at for at, after in calls.points(each=True) if each or after})
        found.write_text(" ".join(map(str, chosen)))

    if in_child(count):
        raise SystemExit(1)
    return [int(number) for number in found.read_text().split()]


def main(root: Path, engine: Engine, played: Script, *, each: bool) -> None:
    def check(table: Table) -> None:
        played.check_interrupted(table)
        played.check_recovered(table)

    engine.prepare()
    start = played.begin(root / "start", engine, in_child)
    chosen = engine.some(points(start, root, played, each=each))
    for at in chosen:
        table = script.copy(start, root / f"point-{at}")
        ended = in_child(lambda table=table, at=at: played.work(table, Calls(die, at=at)))  # type: ignore[misc]
        if ended != -signal.SIGKILL or in_child(lambda table=table: check(table)):  # type: ignore[misc]
            raise SystemExit(f"killed at call {at}: ended with {ended}, or was not made good")
        shutil.rmtree(table.root)
    print(len(chosen))


if __name__ == "__main__":
    folder, name, history, *rest = sys.argv[1:]
    # a killed applier leaves its scratch folder, which is to go with the test's own
    tempfile.tempdir = folder
    main(Path(folder), ENGINES[name], script.SCRIPTS[history], each=bool(rest))
