"""The settings as people see them: where each comes from, and the schema that editors read.

Scope: catchment.settings.origin and .schema on the app's own cdk.json and on small ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from catchment.cli.app import run
from catchment.settings import environment_names, load_settings
from catchment.settings.origin import effective_settings
from catchment.settings.schema import json_schema

ROOT = Path(__file__).parents[2]
CDK_JSON = ROOT / "cdk.json"


def test_each_setting_names_the_part_it_is_from() -> None:
    found = {each.name: (each.value, each.origin) for each in effective_settings(CDK_JSON, "laptop-spark")}
    assert found["sources.sales.tables.hard.swaps.engine"] == ("spark", "environments.laptop-spark")
    assert found["apply.timeout_seconds"] == (30, "environments.laptop")
    assert found["apply.max_receives"] == (5, "defaults")
    assert found["sources.sales.rds.engine_version"] == (None, "built in")
    assert found["sources.sales.tables.sales.sales_items.key"] == (["sale_id", "line_no"], "defaults")


@pytest.mark.parametrize("environment", environment_names(CDK_JSON))
def test_what_is_shown_is_what_is_loaded(environment: str) -> None:
    shown: dict[str, Any] = {each.name: each.value for each in effective_settings(CDK_JSON, environment)}
    loaded = load_settings(CDK_JSON, environment)
    assert shown["network.cidr"] == loaded.network.cidr
    assert shown["apply.memory_mb"] == loaded.apply.memory_mb
    assert shown["tags.stage"] == loaded.tags["stage"]


def test_null_takes_away_what_any_part_below_says(tmp_path: Path) -> None:
    document = json.loads(CDK_JSON.read_text())
    document["context"]["defaults"]["monitoring"]["email"] = "a@example.org"
    document["context"]["environments"]["dev"]["monitoring"] = {"email": "b@example.org"}
    document["context"]["environments"]["quiet"] = {"like": "dev", "monitoring": {"email": None}}
    path = tmp_path / "cdk.json"
    path.write_text(json.dumps(document))
    assert load_settings(path, "quiet").monitoring.email is None


def test_the_schema_takes_the_settings_and_refuses_mistakes() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    document = json.loads(CDK_JSON.read_text())
    check = Draft202012Validator(schema)
    assert list(check.iter_errors(document)) == []
    for place, wrong in (("network", {"cidr": "10.0.0.0/8"}), ("aply", {}), ("multi_az", "yes")):
        document["context"]["environments"]["dev"] = {place: wrong}
        assert list(check.iter_errors(document)), place


def test_the_schema_beside_cdk_json_is_the_present_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["settings", "--schema"]) == 0
    assert capsys.readouterr().out == (ROOT / "cdk.schema.json").read_text(), "make update-snapshots writes it"
    assert json.loads(CDK_JSON.read_text())["$schema"] == "./cdk.schema.json"
