"""The construct library by itself: installed into an empty app, it does what its README shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of an app that is the README's example, with the library installed for it alone, and its template."""
    app = tmp_path_factory.mktemp("app")
    quiet = ["--quiet", "--python", sys.executable, "--no-deps", "--no-index", "--no-build-isolation"]
    install = [str(BIN / "uv"), "pip", "install", *quiet, "--target", "site", str(ROOT / "constructs")]
    subprocess.run(install, cwd=app, check=True)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "constructs" / "README.md").read_text(), re.DOTALL)
    where = "import catchment_constructs\nprint(catchment_constructs.__file__)\n"
    (app / "app.py").write_text(code + where)
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PYTHONPATH": "site", "PATH": path, "CDK_OUTDIR": "cdk.out", "CDK_VALIDATION": "false"}
    done = subprocess.run([sys.executable, "app.py"], cwd=app, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(app), "the installed package is tried, not the checkout's"
    return app, json.loads((app / "cdk.out" / "Shop.template.json").read_text())


def test_the_readme_example_makes_a_task_that_is_started(example: tuple[Path, dict[str, Any]]) -> None:
    _, template = example
    kinds = [resource["Type"] for resource in template["Resources"].values()]
    assert kinds.count("AWS::DMS::ReplicationTask") == kinds.count("AWS::DMS::ReplicationInstance") == 1
    assert kinds.count("AWS::DMS::Endpoint") == 2
    (managed,) = [each for each in template["Resources"].values() if each["Type"] == "Custom::DmsTaskLifecycle"]
    assert managed["Properties"]["Running"] == "true"


def test_the_functions_come_with_the_package(example: tuple[Path, dict[str, Any]]) -> None:
    app, template = example
    functions = [
        each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"
    ]
    (asset,) = {each["Code"]["S3Key"].removesuffix(".zip") for each in functions}
    (code,) = (app / "cdk.out").glob(f"asset.{asset}")
    assert all(file.is_file() and not file.is_symlink() for file in code.rglob("*.py"))
    handlers = {each["Handler"].removesuffix(".handler") for each in functions}
    assert handlers == {"lambda_src.task_lifecycle.handler", "lambda_src.account_roles.handler"}
    script = "".join(f"import {module}\nprint({module}.__file__)\n" for module in handlers)
    loaded = [sys.executable, "-c", script]
    done = subprocess.run(loaded, cwd=code, capture_output=True, text=True, check=True, env={"PYTHONPATH": "."})
    assert all(Path(line).is_relative_to(code) for line in done.stdout.split())


def test_every_construct_is_told_of() -> None:
    text = (ROOT / "constructs" / "README.md").read_text()
    files = (ROOT / "constructs" / "catchment_constructs").glob("*.py")
    made = [name for file in files for name in re.findall(r"^class (\w+)\(Construct\)", file.read_text(), re.MULTILINE)]
    parts = {"EventQueue", "PythonFunction", "ReplicationNetwork"}
    assert sorted(name for name in made if name not in parts and f"`{name}`" not in text) == []
