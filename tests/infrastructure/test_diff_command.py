"""``catchment diff`` from end to end: two revisions in git, both synthesized, told in words.

Scope: the command, git and the CDK app, for real; what is told of which change is tests/core/review.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from catchment.cli.app import run

ROOT = Path(__file__).parents[2]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app as it stands in this work tree, as the one commit of a repository of its own."""
    folder = tmp_path / "app"
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "benchmarks/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=app")
    monkeypatch.chdir(folder)
    return folder


def test_the_work_tree_is_told_against_a_revision(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = repository / "cdk.json"
    context = json.loads(settings.read_text())
    context["context"]["defaults"]["sources"]["sales"]["tables"]["sales.products"]["key"] = ["id", "code"]
    context["context"]["environments"]["dev"]["lake"]["landing_days"] = 7
    settings.write_text(json.dumps(context))
    report = repository / "report.json"
    report.write_text(json.dumps({"tables": [{"table": "sales.products", "source_rows": 5_000_000}]}))

    command = ["diff", "--env", "dev", "--base", "HEAD", "--report", str(report)]
    assert run([*command, "--format", "json", "--fail-on", "reload"]) == 1
    told = json.loads(capsys.readouterr().out)
    words = [effect["words"] for effect in told["effects"] if effect["level"] != "none"]
    assert words == [
        "deletes objects of bucket Landing/Bucket after 7 days instead of 30 days",
        "sales.products has another key: it is held until catchment reload sales.products (≈ 5.0 M rows)",
    ]
    assert git(repository, "worktree", "list").count("\n") == 1, "nothing is left of the other revision"


def test_what_is_wrong_is_one_line(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "--base", "nowhere"]) == 2
    assert "--base: 'nowhere' is not allowed" in capsys.readouterr().err
    assert run(["diff", "--base", "HEAD", "--fail-on", "worse"]) == 2
    assert "allowed are data-loss, reload, interruption, security, cost, none" in capsys.readouterr().err
    (repository / "cdk.json").write_text((repository / "cdk.json").read_text().replace('"db.t4g.medium"', '"small"'))
    assert run(["diff", "--base", "HEAD"]) == 2
    assert "the work tree does not synthesize" in capsys.readouterr().err
