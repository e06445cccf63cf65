"""Switch off each protection in a copy of the tree, and see which test fails:  python -m tests.mutants [WORD …]

With words, only mutants whose protection has one of them. The results go into docs/mutants.md. Ends with 1 where a
mutant survives.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parents[2]
_COPIED = ("catchment", "constructs", "stacks", "local", "lambda_src", "tests", "pyproject.toml", "cdk.json", "docs")
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S*/(\w+)\.py::(\w+)", re.MULTILINE)
_MINUTES = 10
PAGE = ROOT / "docs/mutants.md"
HEAD = """# Mutants

Each protection is switched off, one at a time, and a test has to fail. `make mutants` does it again and writes this
page, in some ten minutes on two cores; tests/mutants/catalogue.py has the list.

| Protection | Switched off | In | The test that fails |
|---|---|---|---|"""


def mutated(mutant: Mutant, text: str) -> str:
    """The file's text with the protection switched off. Raises ValueError where it does not stand there once."""
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.file}: {mutant.old!r} stands there {text.count(mutant.old)} times, not once")
    return text.replace(mutant.old, mutant.new)


def killer(mutant: Mutant, tree: Path) -> str | None:
    """The test that fails on the mutant, None where none does. Raises RuntimeError where the tests do not run."""
    file = tree / mutant.file
    before = file.read_text()
    file.write_text(mutated(mutant, before))
    options = ["-x", "-q", "-m", "not slow", "--tb=no", "-p", "no:cacheprovider", "--hypothesis-profile=unshrunk"]
    try:
        command = [sys.executable, "-B", "-m", "pytest", *options, "-rfE", *mutant.tests]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=_MINUTES * 60)
    finally:
        file.write_text(before)
    if done.returncode == 0:
        return None
    failed = _FAILED.search(done.stdout)
    if done.returncode != 1 or failed is None:
        raise RuntimeError(f"{mutant.protection}: {done.stdout}{done.stderr}")
    return f"{failed[1]}::{failed[2]}"


def row(mutant: Mutant, test: str | None) -> str:
    """The mutant's line of docs/mutants.md."""
    where = mutant.file.removeprefix("catchment/")
    return f"| {mutant.protection} | {mutant.off} | {where} | {f'`{test}`' if test else '**none**'} |"


def write_page(results: Sequence[tuple[Mutant, str | None]]) -> None:
    """Put the results into docs/mutants.md, in the order of the catalogue; lines of other mutants stay."""
    old = PAGE.read_text().splitlines() if PAGE.exists() else []
    lines = {
        mutant.protection: line for mutant in MUTANTS for line in old if line.startswith(f"| {mutant.protection} |")
    }
    lines |= {mutant.protection: row(mutant, test) for mutant, test in results}
    PAGE.write_text("\n".join([HEAD, *(lines[m.protection] for m in MUTANTS if m.protection in lines), ""]))


def main(words: list[str]) -> int:
    chosen = [m for m in MUTANTS if not words or any(word.casefold() in m.protection.casefold() for word in words)]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, tree / name)
        for mutant in chosen:
            results.append((mutant, killer(mutant, tree)))
            print(f"{results[-1][1] or 'SURVIVED':<75} {mutant.protection}", flush=True)
    write_page(results)
    return int(any(test is None for _, test in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
