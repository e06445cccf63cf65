"""The folders of a run: a working folder that never stays behind, and what is kept of a finished run.

``.catchment/work-<id>`` is removed when the run ends, also when it is killed. A run that gets to its report leaves
``.catchment/run-<id>`` (the lake, the landing files, the templates, the report); ``.catchment/last-run`` points to it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from local.processes import start_guarded

HOME = Path(".catchment")
KEPT_RUNS = 2
"""Finished runs that stay on disk: the last, and the one before to compare it with."""


@dataclass(frozen=True)
class RunFolder:
    """Where a run works, and where it puts what is to stay."""

    home: Path
    work: Path
    kept: Path

    def keep(self, *, lake: Path, landing: Path, quarantine: Path, templates: Path, source: str) -> Path:
        """Move what a user will look at out of the working folder and make it the last run; the kept folder.

        ``lake``, ``landing`` and ``quarantine`` are the buckets' folders, ``source`` the folder inside each of them.
        """
        self.kept.mkdir(parents=True)
        for name, folder in {"lake": lake, "landing": landing, "quarantine": quarantine, "cdk.out": templates}.items():
            if folder.exists():
                os.rename(folder, self.kept / name)
        names = {name: os.fspath(self.kept / name / source) for name in ("lake", "landing", "quarantine")}
        (self.kept / "lake.json").write_text(json.dumps(names, indent=2) + "\n")
        self._point_last_run_here()
        return self.kept

    def _point_last_run_here(self) -> None:
        fresh = self.home / f"last-run-{uuid4().hex}"
        fresh.symlink_to(self.kept.name)
        os.replace(fresh, self.home / "last-run")
        runs = sorted(self.home.glob("run-*"), key=lambda folder: folder.stat().st_mtime)
        for old in runs[:-KEPT_RUNS]:
            shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def run_folder(home: Path = HOME) -> Iterator[RunFolder]:
    """A run's folders; the working folder is gone afterwards, whatever happened."""
    home = home.resolve()
    identity = uuid4().hex[:12]
    folder = RunFolder(home, home / f"work-{identity}", home / f"run-{identity}")
    try:
        folder.work.mkdir(parents=True)
        # this guard outlives even a SIGKILL of the run, and then removes the folder
        with start_guarded(["tail", "-f", os.devnull], log=folder.work / "guard.log", remove=[folder.work]):
            yield folder
    finally:
        shutil.rmtree(folder.work, ignore_errors=True)
