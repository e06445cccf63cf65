"""The replica of an environment: its stack, its rights, its network, its alarms; and what settings of it are refused.

Scope: the templates; what they deploy works in test_replica_deployed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from catchment.errors import SettingsError
from catchment.settings import Settings, load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly, Resource
from tests.infrastructure.test_cfn_lint import findings
from tests.infrastructure.test_replica_deployed import SETTINGS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def assembly(synthesized: Callable[[Settings], Assembly]) -> Assembly:
    """The laptop's environment with a replica in MySQL; cdk-nag finds nothing that nobody explained."""
    return synthesized(SETTINGS)


def _allowed(assembly: Assembly, role: str) -> dict[str, list[str]]:
    """The resources, as JSON, by action of a role whose policy has ``role`` in its id."""
    found: dict[str, list[str]] = {}
    for logical_id, policy in assembly.resources("Replica", "AWS::IAM::Policy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"] if role in logical_id else []:
            actions, resources = statement["Action"], statement["Resource"]
            for action in [actions] if isinstance(actions, str) else actions:
                given = resources if isinstance(resources, list) else [resources]
                if statement["Effect"] == "Allow":
                    found.setdefault(action, []).extend(map(json.dumps, given))
    return found


def test_templates_with_a_replica_are_what_cloudformation_takes(assembly: Assembly) -> None:
    assert findings(assembly, ["Network", "Replica"]) == []


def test_the_feeder_reads_the_files_of_its_source_and_writes_nothing_of_the_lake(assembly: Assembly) -> None:
    allowed = _allowed(assembly, "FeederWorkerRole")
    read = [each for each in allowed["s3:GetObject"] if "assets" not in each]
    assert len(read) == 2
    assert all("/sales/" in each for each in read)
    assert [each for each in read if "Silver" in each] == [each for each in read if "reload.json" in each] != []
    assert ["/_replica/sales/*" in each for each in allowed["s3:PutObject"]] == [True]
    assert "s3:DeleteObject" not in allowed
    assert len(allowed["secretsmanager:GetSecretValue"]) == 1


def test_its_queue_is_its_own_and_hears_of_its_source_alone(assembly: Assembly) -> None:
    [rule] = [each for each in assembly.properties("Replica", "AWS::Events::Rule") if "EventPattern" in each]
    assert rule["EventPattern"]["detail"]["object"] == {"key": [{"prefix": "sales/"}]}
    [target] = rule["Targets"]
    assert "FeederEventsQueue" in json.dumps(target["Arn"])
    schedules = [each for each in assembly.properties("Replica", "AWS::Events::Rule") if "EventPattern" not in each]
    assert len(schedules) == 1, "nothing is maintained"


def test_the_network_has_what_the_feeder_calls_and_only_with_a_replica(assembly: Assembly, laptop: Assembly) -> None:
    def services(found: Mapping[str, Resource]) -> set[str]:
        names = (json.dumps(each["Properties"]["ServiceName"]) for each in found.values())
        return {name.rsplit(".", 1)[-1].strip('"]} ') for name in names}

    kind = "AWS::EC2::VPCEndpoint"
    more = services(assembly.resources("Network", kind)) - services(laptop.resources("Network", kind))
    assert more == {"sqs", "ssm", "dms", "dynamodb"}
    assert not (laptop.folder / "Replica.template.json").exists()


def test_the_database_is_a_replica_and_no_source(assembly: Assembly) -> None:
    [instance] = assembly.properties("Replica", "AWS::RDS::DBInstance")
    assert (instance["Engine"], instance["DBName"]) == ("mysql", "shop")
    [group] = assembly.properties("Replica", "AWS::RDS::DBParameterGroup")
    assert group["Parameters"] == {"local_infile": "1", "require_secure_transport": "1"}


def test_every_alarm_of_the_replica_has_a_page(assembly: Assembly) -> None:
    alarms = assembly.properties("Monitoring", "AWS::CloudWatch::Alarm")
    ours = {each["AlarmName"]: each["AlarmDescription"] for each in alarms if " repl" in each["AlarmName"]}
    kinds = {name.rsplit(" ", 1)[-1] for name in ours if "replication" not in name}
    assert kinds == {"dead-letters", "queue-age", "quarantine", "function-errors", "database-storage"}
    for description in ours.values():
        assert (ROOT / description.rpartition("What to do: ")[2]).exists(), description


_RDS = {"instance_class": "db.t4g.medium", "storage_gb": 50, "backup_days": 7, "ca_certificate": "rds-ca-rsa2048-g1"}
_GOOD = {"source": "sales", "engine": "mysql", "database": "shop", "rds": _RDS}


@pytest.mark.parametrize(
    ("replica", "field", "allowed"),
    [
        ({"source": "erp"}, "replica.source", "sales"),
        ({"engine": "oracle"}, "replica.engine", "'postgresql', 'mysql' or 'mariadb'"),
        ({"tables": ["sales.nothing"]}, "replica.tables", "not sales.nothing"),
        ({"tables": ["sales.sales", "sales.sales"]}, "replica.tables", "each table once"),
        ({"tables": ["sales.sales", "old.Sales"]}, "replica.tables", "all lie in one database"),
        ({"rds": None}, "replica.rds", "exactly one"),
        ({"rds": {**_RDS, "rotate_days": 30}}, "replica.rds.rotate_days", "none for a replica"),
        ({"certificate_file": "ca.pem"}, "replica.certificate_file", "with external only"),
        ({"max_concurrency": 1}, "replica.max_concurrency", "from 2"),
    ],
)
def test_what_a_replica_may_not_be_is_said(tmp_path: Path, replica: dict[str, Any], field: str, allowed: str) -> None:
    document = json.loads(CDK_JSON.read_text())
    dev = document["context"]["environments"]["dev"]
    dev["replica"] = {**_GOOD, **replica}
    dev["sources"] = {"sales": {"tables": {"old.Sales": {"key": ["id"]}}}} if "one database" in allowed else {}
    (tmp_path / "cdk.json").write_text(json.dumps(document))
    with pytest.raises(SettingsError) as error:
        load_settings(tmp_path / "cdk.json", "dev")
    assert error.value.field == field
    assert allowed in error.value.allowed


def test_a_replica_in_postgresql_keeps_tables_of_one_name_apart(tmp_path: Path) -> None:
    document = json.loads(CDK_JSON.read_text())
    dev = document["context"]["environments"]["dev"]
    dev["replica"] = {**_GOOD, "engine": "postgresql", "tables": ["sales.sales", "old.Sales"]}
    dev["sources"] = {"sales": {"tables": {"old.Sales": {"key": ["id"]}}}}
    (tmp_path / "cdk.json").write_text(json.dumps(document))
    assert list(load_settings(tmp_path / "cdk.json", "dev").replica_files()["sales"]["tables"]) == [
        "sales.sales",
        "old.Sales",
    ]
