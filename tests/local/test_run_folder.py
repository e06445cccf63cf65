"""A run's working folder never stays; what is kept becomes the last run."""

import json
from pathlib import Path

import pytest

from local.folder import KEPT_RUNS, RunFolder, run_folder


def keep_something(folder: RunFolder, text: str) -> Path:
    lake = folder.work / "bucket-of-silver"
    (lake / "sales").mkdir(parents=True)
    (lake / "sales" / "file").write_text(text)
    return folder.keep(
        lake=lake,
        landing=folder.work / "no",
        quarantine=folder.work / "no",
        templates=folder.work / "no",
        source="sales",
    )


def test_a_finished_run_is_the_last_run_and_its_working_folder_is_gone(tmp_path: Path) -> None:
    with run_folder(tmp_path) as folder:
        keep_something(folder, "first")
    last = tmp_path / "last-run"
    assert Path(json.loads((last / "lake.json").read_text())["lake"], "file").read_text() == "first"
    assert not folder.work.exists()


def test_a_failed_run_leaves_nothing_and_the_last_run_as_it_was(tmp_path: Path) -> None:
    with run_folder(tmp_path) as folder:
        keep_something(folder, "good")
    with pytest.raises(RuntimeError, match="broken"), run_folder(tmp_path) as failed:
        raise RuntimeError("broken")
    assert not failed.work.exists()
    assert (tmp_path / "last-run" / "lake" / "sales" / "file").read_text() == "good"


def test_old_runs_make_room(tmp_path: Path) -> None:
    for number in range(KEPT_RUNS + 2):
        with run_folder(tmp_path) as folder:
            keep_something(folder, str(number))
    assert len(list(tmp_path.glob("run-*"))) == KEPT_RUNS
    assert (tmp_path / "last-run" / "lake" / "sales" / "file").read_text() == str(KEPT_RUNS + 1)
