"""What DMS is told to write, on the synthesized template: the applier can be exact only on files like these."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catchment.settings import load_settings
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly, only

ENDPOINT = "AWS::DMS::Endpoint"


@pytest.fixture(scope="session")
def lake_endpoint(laptop: Assembly) -> dict[str, Any]:
    return dict(only(laptop.properties("Replication", ENDPOINT), EndpointType="target")["S3Settings"])


@pytest.fixture(scope="session")
def source_endpoint(laptop: Assembly) -> dict[str, Any]:
    return only(laptop.properties("Replication", ENDPOINT), EndpointType="source")


@pytest.fixture(scope="session")
def task(laptop: Assembly) -> dict[str, Any]:
    (found,) = laptop.properties("Replication", "AWS::DMS::ReplicationTask")
    return found


@pytest.fixture(scope="session")
def settings(task: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(task["ReplicationTaskSettings"]))


@pytest.fixture(scope="session")
def rules(task: dict[str, Any]) -> list[dict[str, Any]]:
    return list(json.loads(task["TableMappings"])["rules"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DataFormat", "parquet"),
        ("ParquetVersion", "parquet-2-0"),
        ("ParquetTimestampInMillisecond", False),
        ("IncludeOpForFullLoad", True),
        ("TimestampColumnName", "dms_ts"),
        ("UseTaskStartTimeForFullLoadTimestamp", True),
        ("CdcInsertsOnly", False),
        ("CdcInsertsAndUpdates", False),
        ("DatePartitionEnabled", True),
        ("DatePartitionSequence", "YYYYMMDD"),
        ("DatePartitionDelimiter", "SLASH"),
        ("PreserveTransactions", False),
        ("BucketFolder", "sales"),
        ("EncryptionMode", "sse-kms"),
        ("CdcMaxBatchInterval", 1),
    ],
)
def test_files_are_written_as_the_applier_reads_them(lake_endpoint: dict[str, Any], name: str, value: object) -> None:
    assert lake_endpoint[name] == value


@pytest.mark.parametrize("name", ["DatePartitionTimezone", "CdcPath", "AddColumnName", "CannedAclForObjects"])
def test_what_would_change_names_or_folders_is_left_unsaid(lake_endpoint: dict[str, Any], name: str) -> None:
    assert name not in lake_endpoint


def test_a_truncate_or_drop_at_the_source_never_deletes_landed_files(settings: dict[str, Any]) -> None:
    policy = settings["ChangeProcessingDdlHandlingPolicy"]
    assert policy["HandleSourceTableTruncated"] is False
    assert policy["HandleSourceTableDropped"] is False
    assert policy["HandleSourceTableAltered"] is True
    assert settings["ErrorBehavior"]["ApplyErrorFailOnTruncationDdl"] is True


@pytest.mark.parametrize("policy", ["DataErrorPolicy", "DataTruncationErrorPolicy", "TableErrorPolicy"])
def test_what_dms_would_drop_or_cut_suspends_the_table(settings: dict[str, Any], policy: str) -> None:
    assert settings["ErrorBehavior"][policy] == "SUSPEND_TABLE"


def test_a_mapping_that_matches_nothing_fails_the_task(settings: dict[str, Any]) -> None:
    assert settings["ErrorBehavior"]["FailOnNoTablesCaptured"] is True


def test_large_values_have_a_limit_that_somebody_chose(settings: dict[str, Any], source_endpoint: Any) -> None:
    limits = settings["TargetMetadata"]
    assert limits["LobMaxSize"] == load_settings(CDK_JSON, "laptop").sources["sales"].lob_max_kb
    assert (limits["LimitedSizeLobMode"], limits["FullLobMode"]) == (True, False)
    assert source_endpoint["PostgreSqlSettings"]["FailTasksOnLobTruncation"] is True


def test_changes_are_never_applied_in_batches_by_dms(settings: dict[str, Any]) -> None:
    assert settings["TargetMetadata"]["BatchApplyEnabled"] is False


def test_read_only_log_settings_are_left_out(settings: dict[str, Any]) -> None:
    assert settings["Logging"]["EnableLogging"] is True
    assert not {"CloudWatchLogGroup", "CloudWatchLogStream"} & set(settings["Logging"])


def test_task_settings_are_written_in_one_form(task: dict[str, Any]) -> None:
    for name in ("ReplicationTaskSettings", "TableMappings"):
        assert task[name] == json.dumps(json.loads(task[name]), separators=(",", ":"))


def test_tables_are_selected_by_exact_name_only(rules: list[dict[str, Any]]) -> None:
    selected = [rule for rule in rules if rule["rule-type"] == "selection"]
    assert {rule["rule-action"] for rule in selected} == {"explicit"}
    named = [".".join(rule["object-locator"].values()) for rule in selected]
    assert named == list(load_settings(CDK_JSON, "laptop").sources["sales"].tables)
    assert "hard.Mixed Case" in named


def test_every_table_gets_the_change_sequence_and_its_key_before_an_update(rules: list[dict[str, Any]]) -> None:
    sequence, image = [rule for rule in rules if rule["rule-type"] == "transformation"]
    everywhere = {"schema-name": "%", "table-name": "%"}
    assert (sequence["object-locator"], image["object-locator"]) == (everywhere, everywhere)
    assert (sequence["value"], sequence["expression"]) == ("dms_seq", "$AR_H_CHANGE_SEQ")
    assert image["before-image-def"] == {"column-prefix": "BI_", "column-suffix": "", "column-filter": "pk-only"}


def test_rule_ids_and_names_are_unique(rules: list[dict[str, Any]]) -> None:
    assert len({rule["rule-id"] for rule in rules}) == len(rules) == len({rule["rule-name"] for rule in rules})
    assert all(rule["rule-id"].isdigit() for rule in rules)


def test_the_source_is_read_with_old_values_ddl_and_heartbeat(source_endpoint: dict[str, Any]) -> None:
    own = source_endpoint["PostgreSqlSettings"]
    assert (own["PluginName"], own["CaptureDdls"], own["HeartbeatEnable"]) == ("test-decoding", True, True)


def test_the_source_is_reached_by_a_secret_over_an_encrypted_connection(source_endpoint: dict[str, Any]) -> None:
    assert source_endpoint["SslMode"] == "require"
    assert {"SecretsManagerSecretId", "SecretsManagerAccessRoleArn"} <= set(source_endpoint["PostgreSqlSettings"])
    assert not {"Username", "Password", "ServerName", "Port"} & set(source_endpoint)


def test_the_replication_instance_is_private(laptop: Assembly) -> None:
    (instance,) = laptop.properties("Replication", "AWS::DMS::ReplicationInstance")
    assert instance["PubliclyAccessible"] is False
    assert instance["AutoMinorVersionUpgrade"] is False


def test_a_full_load_is_followed_by_changes(task: dict[str, Any]) -> None:
    assert task["MigrationType"] == "full-load-and-cdc"


def test_contracts_name_the_columns_that_dms_is_told_to_write(
    laptop: Assembly, lake_endpoint: dict[str, Any], rules: list[dict[str, Any]]
) -> None:
    assets = json.loads((laptop.folder / "Apply.assets.json").read_text())["files"].values()
    (path,) = [
        asset["source"]["path"]
        for asset in assets
        if asset["source"].get("path", "").startswith("asset.") and asset["source"]["path"].endswith(".json")
    ]
    landing = json.loads((laptop.folder / path).read_text())["sales"]["landing"]
    sequence, image = [rule for rule in rules if rule["rule-type"] == "transformation"]
    assert landing == {
        "format": lake_endpoint["DataFormat"],
        "timestamp_column": lake_endpoint["TimestampColumnName"],
        "sequence_column": sequence["value"],
        "before_image_prefix": image["before-image-def"]["column-prefix"],
    }
