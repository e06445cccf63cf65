"""The code of the functions: this repository's handlers and core, and the layer of what they import."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aws_cdk import IgnoreMode
from aws_cdk.aws_lambda import Code
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from catchment_constructs.spark_job import JobCode

ROOT = Path(__file__).parent.parent
LAYER_LOCK = ROOT / "lambda_src" / "requirements.txt"
SPARK_FOLDER = ROOT / "glue_scripts"
LAYER_BUILD = (".venv/bin/python", "-m", "stacks.bundle")
AGENT = "lambda_src/source_agent"
AGENT_LOCK = ROOT / AGENT / "requirements.txt"
AGENT_BUILD = (*LAYER_BUILD, f"{AGENT}/requirements.txt")
"""The drivers of databases are a layer of their own: the other functions need none of them."""

REPLICATE = "lambda_src/replicate"
REPLICATE_LOCK = ROOT / REPLICATE / "requirements.txt"
REPLICATE_BUILD = (*LAYER_BUILD, f"{REPLICATE}/requirements.txt")
RDS_CERTIFICATES = "catchment/engines/rds-ca.pem"

SEEDER = "lambda_src/seeder"
FILE_WRITER = "lambda_src/sample_files"
"""What writes samples has their makers in its code, which the other functions do without."""

RUNTIME = ("catchment/__init__.py", "catchment/errors.py")
RUNTIME_PACKAGES = ("apply", "changes", "landing", "leases", "maintenance", "prepare", "reload", "sinks", "storage")
"""What of the core functions and Spark job import. The rest (settings, engines, command line …) changes neither."""


def function_code() -> Code:
    """The code of every function out of the databases' network: ``lambda_src`` and the part of the core it needs."""
    kept = [*_all_but(["lambda_src", *_core()]), f"/{AGENT}", f"/{SEEDER}", f"/{FILE_WRITER}", f"/{REPLICATE}"]
    return Code.from_asset(str(ROOT), ignore_mode=IgnoreMode.GIT, exclude=kept)


def agent_code(certificates: Sequence[str] = ()) -> Code:
    """The code of the function beside the databases: its handler, what the engines say, and certificates (paths)."""
    exclude = [*_beside_databases(AGENT, "catchment/prepare"), *_and_files(certificates)]
    return Code.from_asset(str(ROOT), ignore_mode=IgnoreMode.GIT, exclude=exclude)


def replicate_code(certificates: str) -> Code:
    """The code of the function that feeds the replica: ``lambda_src``, the core, and a file of certificates."""
    inside = ["!/catchment/engines", "/catchment/engines/*"]
    exclude = [*_all_but(["lambda_src", *_core()]), f"/{AGENT}", f"/{SEEDER}", f"/{FILE_WRITER}", *inside]
    exclude += [f"!/{certificates}"] if certificates == RDS_CERTIFICATES else _and_files([certificates])
    return Code.from_asset(str(ROOT), ignore_mode=IgnoreMode.GIT, exclude=exclude)


def _and_files(paths: Sequence[str]) -> list[str]:
    folders = {folder.as_posix() for path in paths for folder in Path(path).parents if folder.name}
    around = [line for folder in sorted(folders) for line in (f"!/{folder}", f"/{folder}/*")]
    return [*around, *(f"!/{path}" for path in paths)]


def seeder_code() -> Code:
    """The code of the function that writes sample systems: its handler, what the engines say, and the systems."""
    return Code.from_asset(
        str(ROOT), ignore_mode=IgnoreMode.GIT, exclude=_beside_databases(SEEDER, "catchment/samples")
    )


def file_writer_code() -> Code:
    """The code of the function that writes sample files."""
    exclude = _all_but(["lambda_src", "catchment/__init__.py", "catchment/samples"])
    exclude += ["/lambda_src/*", f"!/{FILE_WRITER}", "!/lambda_src/custom_resource.py"]
    return Code.from_asset(str(ROOT), ignore_mode=IgnoreMode.GIT, exclude=exclude)


def _beside_databases(function: str, *more: str) -> list[str]:
    exclude = _all_but(["lambda_src", *RUNTIME, "catchment/engines", "catchment/landing", *more])
    # of the landing zone, the engines know the limits of its types alone
    exclude += ["/lambda_src/*", f"!/{function}", "/catchment/landing/*", "!/catchment/landing/types.py"]
    return [*exclude, "!/catchment/landing/__init__.py"]


def spark_code(scope: Construct) -> JobCode:
    """What the Spark job runs: its script, the core with its part on Spark, and the packages of its lock file."""
    return JobCode(
        script=Asset(scope, "Script", path=str(SPARK_FOLDER / "apply.py")),
        library=Asset(
            scope,
            "Library",
            path=str(ROOT),
            ignore_mode=IgnoreMode.GIT,
            exclude=_all_but([*_core(), "catchment/spark"]),
        ),
        modules=re.findall(r"^[\w.-]+==[\w.]+", (SPARK_FOLDER / "requirements.txt").read_text(), re.MULTILINE),
    )


def _core() -> list[str]:
    return [*RUNTIME, *(f"catchment/{name}" for name in RUNTIME_PACKAGES)]


def _all_but(kept: list[str]) -> list[str]:
    return ["/*", "!/catchment", "/catchment/*", *(f"!/{path}" for path in kept), "__pycache__", "*.txt", "*.in"]


def handler_of(function: str) -> str:
    """The name AWS Lambda calls for ``lambda_src/<function>/handler.py``."""
    return f"lambda_src.{function}.handler.handler"


def json_asset(scope: Construct, construct_id: str, content: dict[str, Any]) -> Asset:
    """An asset that holds the content as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{construct_id.lower()}.json"
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return Asset(scope, construct_id, path=str(path))
