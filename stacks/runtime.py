"""The code of the functions: this repository's handlers and core, and the layer of what they import."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from aws_cdk import IgnoreMode
from aws_cdk.aws_lambda import Code
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

ROOT = Path(__file__).parent.parent
LAYER_LOCK = ROOT / "lambda_src" / "requirements.txt"
LAYER_BUILD = (".venv/bin/python", "-m", "stacks.bundle")

RUNTIME = ("catchment/__init__.py", "catchment/errors.py", "lambda_src")
RUNTIME_PACKAGES = ("apply", "changes", "landing", "leases", "sinks", "storage")
"""What of the core the functions import. The rest (settings, engines, command line …) does not change their code."""


def function_code() -> Code:
    """The code of every function: ``lambda_src`` and the part of the core it needs, without third-party packages."""
    kept = [*RUNTIME, *(f"catchment/{name}" for name in RUNTIME_PACKAGES)]
    return Code.from_asset(
        str(ROOT),
        ignore_mode=IgnoreMode.GIT,
        exclude=["/*", "!/catchment", "/catchment/*", *(f"!/{path}" for path in kept), "__pycache__", "*.txt", "*.in"],
    )


def handler_of(function: str) -> str:
    """The name AWS Lambda calls for ``lambda_src/<function>/handler.py``."""
    return f"lambda_src.{function}.handler.handler"


def json_asset(scope: Construct, construct_id: str, content: dict[str, Any]) -> Asset:
    """An asset that holds the content as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{construct_id.lower()}.json"
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return Asset(scope, construct_id, path=str(path))
