"""The app as a whole: the same bytes every time, no finding unexplained, code that a function can import."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from catchment.settings import environment_names, load_settings
from stacks.assembly import ROOT, synthesize
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import STACKS, Assembly


def test_the_folder_of_constructs_is_no_package() -> None:
    """With an __init__.py it would shadow the package ``constructs`` that every CDK app imports."""
    assert not (ROOT / "constructs" / "__init__.py").exists()
    import constructs

    assert ROOT not in Path(str(constructs.__file__)).parents or ".venv" in str(constructs.__file__)


def test_app_py_reads_as_a_table_of_contents() -> None:
    lines = (ROOT / "app.py").read_text().splitlines()
    assert len(lines) < 95
    docstring = "\n".join(lines[1:20])
    assert all(f"\n{stack} " in docstring for stack in STACKS)


def test_the_same_settings_make_the_same_bytes(laptop: Assembly, tmp_path: Path) -> None:
    """One synthesis in this process, one by app.py in a process of its own."""
    again = synthesize("laptop", tmp_path / "again")

    def contents(folder: Path) -> dict[str, str]:
        files = [path for path in folder.rglob("*") if path.is_file()]
        names = {path.relative_to(folder).as_posix(): path for path in files}
        kept = {
            name for name in names if name.endswith((".template.json", ".assets.json")) or name.startswith("asset.")
        }
        assert len(kept) > 2 * len(STACKS)
        return {name: hashlib.sha256(names[name].read_bytes()).hexdigest() for name in kept}

    assert contents(again) == contents(laptop.folder)


@pytest.mark.parametrize("environment", environment_names(CDK_JSON))
def test_every_environment_has_every_stack_under_its_own_name(
    assembly_of: Callable[[str], Assembly], environment: str
) -> None:
    manifest = json.loads((assembly_of(environment).folder / "manifest.json").read_text())["artifacts"]
    names = {
        name: artifact["properties"]["stackName"]
        for name, artifact in manifest.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    replica = ["Replica"] if load_settings(CDK_JSON, environment).replica is not None else []
    assert names == {stack: f"catchment-{environment}-{stack.lower()}" for stack in (*STACKS, *replica)}


def test_tasks_are_deployed_after_the_applier_and_removed_before_it(laptop: Assembly) -> None:
    manifest = json.loads((laptop.folder / "manifest.json").read_text())["artifacts"]
    assert "Apply" in manifest["Replication"]["dependencies"]


def test_nothing_is_bound_to_an_account_or_region(prod: Assembly) -> None:
    for stack in STACKS:
        manifest = json.loads((prod.folder / "manifest.json").read_text())["artifacts"]
        assert manifest[stack]["environment"] == "aws://unknown-account/unknown-region"


@pytest.mark.parametrize(("stack", "lock"), [("Apply", []), ("Sources", ["lambda_src/source_agent/requirements.txt"])])
def test_a_layer_is_built_when_published_and_named_by_its_lock(
    laptop: Assembly, prod: Assembly, stack: str, lock: list[str]
) -> None:
    def layer(assembly: Assembly) -> dict[str, object]:
        files = json.loads((assembly.folder / f"{stack}.assets.json").read_text())["files"]
        return {key: asset["source"] for key, asset in files.items() if "executable" in asset["source"]}

    assert layer(laptop) == layer(prod)
    (source,) = layer(laptop).values()
    assert source == {"executable": [".venv/bin/python", "-m", "stacks.bundle", *lock]}


def _code(assembly: Assembly) -> dict[Path, set[str]]:
    """Each package of functions, and the handlers that are called in it."""
    found: dict[Path, set[str]] = {}
    for _, resource in assembly.everywhere("AWS::Lambda::Function"):
        key = resource["Properties"]["Code"]["S3Key"].removesuffix(".zip")
        found.setdefault(assembly.folder / f"asset.{key}", set()).add(resource["Properties"]["Handler"])
    return found


def test_functions_carry_what_they_need_and_nothing_else(laptop: Assembly) -> None:
    agent, functions = sorted(_code(laptop), key=lambda folder: (folder / "catchment" / "apply").exists())
    kept = {folder: {path.relative_to(folder).as_posix() for path in folder.rglob("*")} for folder in _code(laptop)}
    assert {"catchment/apply", "catchment/landing", "lambda_src/apply"} <= kept[functions]
    assert {"catchment/engines/rds-ca.pem", "lambda_src/source_agent"} <= kept[agent]
    assert not {"catchment/engines", "lambda_src/source_agent"} & kept[functions]
    assert not {"lambda_src/apply", "catchment/landing/reader.py"} & kept[agent]
    for names in kept.values():
        assert not {"catchment/cli", "catchment/settings", "tests", "stacks", "local"} & names
        assert not [name for name in names if name.endswith((".pyc", ".txt", ".in"))]


def test_every_handler_can_be_imported_from_the_code_that_is_deployed(laptop: Assembly) -> None:
    assert sum(map(len, _code(laptop).values())) == 9
    script = "import sys, importlib\nfor name in sys.argv[1:]:\n    module, _, function = name.rpartition('.')\n"
    script += "    assert callable(getattr(importlib.import_module(module), function)), name\n"
    script += "import catchment; assert catchment.__file__.startswith(sys.path[0]), catchment.__file__\n"
    # -P: not the folder of this repository, but the deployed code alone, before the installed packages.
    for code, handlers in _code(laptop).items():
        subprocess.run(
            [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(code)!r})\n{script}", *handlers],
            check=True,
            cwd=laptop.folder,
        )


def test_the_constructs_stand_alone() -> None:
    """Others can install them: they know nothing of this app."""
    for module in (ROOT / "constructs" / "catchment_constructs").glob("*.py"):
        imported = [line for line in module.read_text().splitlines() if line.startswith(("import ", "from "))]
        assert not [line for line in imported if line.split()[1].split(".")[0] in ("catchment", "stacks", "local")]


def test_the_spark_job_carries_its_script_and_the_core_with_its_part_on_spark(laptop: Assembly) -> None:
    files = json.loads((laptop.folder / "Apply.assets.json").read_text())["files"]
    (job,) = laptop.properties("Apply", "AWS::Glue::Job")
    script, library = (
        next(laptop.folder / str(each["source"]["path"]) for key, each in files.items() if key in str(location))
        for location in (job["Command"]["ScriptLocation"], job["DefaultArguments"]["--extra-py-files"])
    )
    assert script.read_text() == (ROOT / "glue_scripts" / "apply.py").read_text()
    folders = {path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_dir()}
    assert {"catchment/apply", "catchment/leases", "catchment/reload"} <= folders
    assert not {"lambda_src", "catchment/cli", "catchment/settings", "glue_scripts"} & folders
    assert (library / "catchment" / "apply" / "cost.json").exists()


@pytest.mark.slow
def test_cdks_own_validation_finds_nothing(tmp_path: Path) -> None:
    """It takes several seconds, and is left out of every other synthesis here."""
    assert synthesize("prod", tmp_path / "validated", cdk_validation=True).joinpath("manifest.json").exists()
