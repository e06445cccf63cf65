"""``catchment diff``: what deploying a change will do."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from catchment.cli.show import new_console
from catchment.errors import SettingsError
from catchment.review import Assembly, Effect, Level, read_assembly, review
from catchment.review.report import document, markdown, text
from catchment.review.revisions import checked_out, git, synthesize

_APP = "app.py"


def diff(
    environment: str,
    *,
    base: str | None,
    assemblies: tuple[Path, Path] | None,
    report: Path | None,
    form: str,
    fail_on: str | None,
    sources: bool,
) -> int:
    """Print the effects; 1 where one is as bad as ``fail_on``. Raises SettingsError."""
    limit = _level(fail_on) if fail_on else None
    rows = _rows(report) if report else {}
    name, before, after = _given(assemblies) if assemblies else _synthesized(environment, base)
    effects = review(before, after, rows)
    _print(effects, environment, name, form, sources)
    return 1 if limit is not None and any(effect.level >= limit for effect in effects) else 0


def _print(effects: list[Effect], environment: str, base: str, form: str, sources: bool) -> None:
    if form == "json":
        print(json.dumps(document(effects, environment, base), indent=1, ensure_ascii=False))
    elif form == "markdown":
        print(markdown(effects, environment, base))
    else:
        console = new_console()
        console.print(f"[bold]{environment}[/], against {base}\n", highlight=False)
        console.print(text(effects, sources=sources), highlight=False, soft_wrap=True)


def _level(word: str) -> Level:
    levels = {level.word: level for level in Level}
    if word not in levels:
        raise SettingsError("diff", "--fail-on", word, f"allowed are {', '.join(reversed(levels))}")
    return levels[word]


def _given(folders: tuple[Path, Path]) -> tuple[str, Assembly, Assembly]:
    before, after = folders
    return str(before), read_assembly(before), read_assembly(after)


def _synthesized(environment: str, base: str | None) -> tuple[str, Assembly, Assembly]:
    """The work tree against ``base``, both synthesized at the same time."""
    here = _root()
    revision = base or _fork_point(here)
    with tempfile.TemporaryDirectory(prefix="catchment-diff-") as name, ExitStack() as stack:
        work = Path(name)
        there = stack.enter_context(checked_out(here, revision, work / "base"))
        with ThreadPoolExecutor(2) as pool:
            before, after = pool.map(
                synthesize,
                (there, here),
                (revision, "the work tree"),
                (environment, environment),
                (work / "before", work / "after"),
            )
        return revision, read_assembly(before), read_assembly(after)


def _root() -> Path:
    """The top of the repository the command is called in. Raises SettingsError outside the app's."""
    done = git(Path.cwd(), "rev-parse", "--show-toplevel")
    root = Path(done.stdout.strip() or ".")
    if done.returncode != 0 or not (root / _APP).is_file():
        raise SettingsError("diff", "folder", str(Path.cwd()), f"allowed is a git work tree of the app (with {_APP})")
    return root


def _fork_point(root: Path) -> str:
    """Where the work tree left the main branch: what a pull request is compared with."""
    for branch in ("origin/HEAD", "origin/main", "main"):
        done = git(root, "merge-base", "HEAD", branch)
        if done.returncode == 0:
            return done.stdout.strip()[:12]
    return "HEAD"


def _rows(report: Path) -> Mapping[str, int]:
    """Rows at the source by table, from what reconciliation wrote."""
    try:
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return {each["table"]: each["source_rows"] for each in found["tables"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError("diff", "--report", str(report), f"allowed is a reconciliation report: {error}") from error
