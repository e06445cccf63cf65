"""What is particular to an engine is in its package, and nowhere else.

Scope: the product's code; an engine is told from another by a comparison with one of its names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from catchment.engines import ENGINES

ROOT = Path(__file__).parents[3]
FOLDERS = ("catchment", "constructs", "glue_scripts", "lambda_src", "local", "stacks")
ROOM = ROOT / "catchment" / "engines"
NAMES = {
    name
    for engine, facts in ((name, module.infrastructure) for name, module in ENGINES.items())
    for name in (engine, facts.dms_engine, facts.rds.engine if facts.rds is not None else engine)
} | {"aurora-postgresql", "aurora"}


def _modules() -> list[Path]:
    files = [ROOT / "app.py", *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))]
    return [file for file in files if ROOM not in file.parents]


def _told_apart(tree: ast.AST) -> Iterator[int]:
    """Lines on which something is compared with the name of an engine."""
    for node in ast.walk(tree):
        compared: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            compared = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            compared = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            compared = node.args
        parts = [each for side in compared for each in (side.elts if isinstance(side, ast.Tuple | ast.Set) else [side])]
        if any(isinstance(part, ast.Constant) and part.value in NAMES for part in parts):
            assert isinstance(node, ast.expr | ast.pattern)
            yield node.lineno


def test_no_engine_is_told_from_another_outside_its_room() -> None:
    modules = _modules()
    assert len(modules) > 200
    found = [
        f"{file.relative_to(ROOT)}:{line}" for file in modules for line in _told_apart(ast.parse(file.read_text()))
    ]
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        'if source.engine == "mysql": pass',
        'if engine in ("postgres", "mysql"): pass',
        'x = 1 if name != "sqlserver-se" else 2',
        'match engine:\n case "oracle": pass',
        'if engine.startswith("postgres"): pass',
    ],
)
def test_telling_engines_apart_is_seen(line: str) -> None:
    assert list(_told_apart(ast.parse(line)))
