"""What a revision of this repository synthesizes, without touching the working tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catchment.errors import SettingsError


class SynthesisRefused(SettingsError):
    """A revision does not synthesize; ``value`` names it, ``allowed`` has what it printed."""

    def __str__(self) -> str:
        return f"{self.value} does not synthesize: {self.allowed}"


@contextmanager
def checked_out(repository: Path, revision: str, folder: Path) -> Iterator[Path]:
    """A work tree of ``revision`` at ``folder``, gone afterwards. Raises SettingsError for an unknown revision."""
    done = git(repository, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if done.returncode != 0:
        raise SettingsError("diff", "--base", revision, "allowed is a revision that git knows here (fetched)")
    commit = done.stdout.strip()
    added = git(repository, "worktree", "add", "--detach", "--quiet", str(folder), commit)
    if added.returncode != 0:
        raise SettingsError("diff", "--base", revision, f"git: {added.stderr.strip()}")
    try:
        yield folder
    finally:
        git(repository, "worktree", "remove", "--force", str(folder))


def synthesize(tree: Path, called: str, environment: str, outdir: Path) -> Path:
    """Synthesize the app of a tree by the present Python's packages, offline. Raises SynthesisRefused with its name."""
    interpreter = Path(sys.executable).parent
    variables = {
        **os.environ,
        "PATH": f"{interpreter}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": os.pathsep.join((str(tree), str(tree / "constructs"))),
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps({"env": environment}),
        "CDK_VALIDATION": "false",
    }
    command = [sys.executable, str(tree / "app.py")]
    done = subprocess.run(command, cwd=tree, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SynthesisRefused("diff", "synthesis", called, (done.stderr or done.stdout).strip()[-3000:])
    return outdir


def git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git there; the caller looks at what it returned."""
    return subprocess.run(
        ["git", "-C", str(repository), *arguments],  # noqa: S607 - the git of the user's path
        capture_output=True,
        text=True,
        check=False,
    )
