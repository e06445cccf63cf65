"""A wrong value is one clear message: the field, its value, what is allowed. Nothing is half-synthesized."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import pytest
from pydantic import BaseModel

import app
from catchment.errors import SettingsError, SettingsErrors
from catchment.settings import Settings, SourceSettings, TableSettings, environment_names, load_settings, stack_prefix
from stacks import context
from stacks.context import CDK_JSON

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[Change], SettingsError]:
    """The error that a change of environment dev of cdk.json is answered with."""

    def load(change: Change) -> SettingsError:
        document = json.loads(CDK_JSON.read_text())
        dev = document["context"]["environments"]["dev"]
        dev.setdefault("sources", {}).setdefault("sales", {})
        change(dev)
        path = tmp_path / "cdk.json"
        path.write_text(json.dumps(document))
        with pytest.raises(SettingsError) as caught:
            load_settings(path, "dev")
        return caught.value

    return load


def _table(name: str, value: object) -> Change:
    return lambda dev: dev["sources"]["sales"].update(tables={name: value})


def _sales(**values: object) -> Change:
    return lambda dev: dev["sources"]["sales"].update(values)


def _external(said: dict[str, object], **values: object) -> Change:
    return _sales(rds=None, external=said, **values)


_THEIRS: dict[str, object] = {"secret_name": "shop", "address": "10.1.2.3"}
_CLIENTS = {"sales.clients": {"key": ["no"]}}


def _lake(**values: object) -> Change:
    return lambda dev: dev["lake"].update(values)


def _dms(version: str) -> Change:
    return lambda dev: dev.update(replication={"engine_version": version})


def _subnets(zones: str) -> list[dict[str, str]]:
    return [{"subnet_id": f"subnet-0000000{n}", "availability_zone": f"eu-central-1{z}"} for n, z in enumerate(zones)]


def _vpc(zones: str = "ab", endpoints: Sequence[str] = (), cidr: str | None = "10.0.0.0/20") -> Change:
    vpc = {"vpc_id": "vpc-01234567", "subnets": _subnets(zones), "endpoints": list(endpoints)}
    return lambda dev: dev.update(network={"vpc": vpc, "cidr": cidr})


def _insights(days: int) -> Change:
    return _sales(rds={"performance_insights_days": days})


_SHARED = {"gold": "acme", "silver": "acme"}
_ERP = {"secret_name": "erp", "address": "10.20.0.15"}
_ENGINE = ("sources.sales.tables.sales.log.engine", "duckdb", "'auto', 'lambda' or 'spark'")


@pytest.mark.parametrize(
    ("change", "field", "value", "allowed"),
    [
        (lambda dev: dev.update(multi_az="yes"), "multi_az", "yes", "true or false"),
        (lambda dev: dev.update(multi_zone=True), "multi_zone", True, "there are stack_prefix, "),
        (lambda dev: dev.update(stack_prefix="Lake"), "stack_prefix", "Lake", "small letters"),
        (lambda dev: dev.update(stack_prefix="ssm-lake"), "stack_prefix", "ssm-lake", "neither aws nor ssm"),
        (lambda dev: dev.update(stack_prefix="lake-"), "stack_prefix", "lake-", "single -"),
        (
            lambda dev: dev.update(permission_boundary_arn="b"),
            "permission_boundary_arn",
            "b",
            "the ARN of an IAM policy",
        ),
        (lambda dev: dev.update(apply={"memory_mb": 64}), "apply.memory_mb", 64, "from 512 to 10240"),
        (lambda dev: dev.update(apply={"memory_mb": "1024"}), "apply.memory_mb", "1024", "a whole number"),
        (lambda dev: dev.update(apply={"timeout_seconds": 600}), "apply.retry_seconds", 660, "twice timeout_seconds"),
        (lambda dev: dev.update(apply={"memory": 1}), "apply.memory", 1, "there are engine, spark, memory_mb, disk_mb"),
        (lambda dev: dev.update(apply={"engine": "glue"}), "apply.engine", "glue", "'auto', 'lambda' or 'spark'"),
        (lambda dev: dev.update(apply={"spark": {"workers": 1}}), "apply.spark.workers", 1, "from 2 to 299"),
        (lambda dev: dev.update(apply={"spark": {"worker_type": "R.1X"}}), "apply.spark.worker_type", "R.1X", "'G.1X'"),
        (_table("sales.log", {"key": [], "engine": "duckdb"}), *_ENGINE),
        (lambda dev: dev.update(network={"cidr": "10.0.0.0"}), "network.cidr", "10.0.0.0", "an IPv4 range"),
        (_vpc(endpoints=["s3"]), "network.cidr", "10.0.0.0/20", "exactly one of cidr and vpc"),
        (_vpc(cidr=None), "network.vpc.endpoints", [], "with a route_table_id for each subnet"),
        (_vpc(cidr=None, zones="aa"), "network.vpc.subnets", _subnets("aa"), "each in a zone of its own"),
        (lambda dev: dev.update(monitoring={"email": "me"}), "monitoring.email", "me", "an e-mail address"),
        (lambda dev: dev.update(deletion_protection=True), "destroy_data", True, "where deletion_protection is false"),
        (_dms("3.5.3"), "replication.engine_version", "3.5.3", "3.5.4 or newer, which reads the log of sources.sales"),
        (lambda dev: dev["sources"].update({"My": {}}), "sources.My", "My", "small letters"),
        (lambda dev: dev["sources"].update({"gold": {}}), "sources.gold", "gold", "not gold"),
        (_lake(buckets={"bronze": "b"}), "lake.buckets.bronze", "bronze", "'landing', 'silver', 'gold', "),
        (_lake(buckets={"gold": "B"}), "lake.buckets.gold", "B", "the name of a bucket"),
        (_lake(buckets=_SHARED), "lake.buckets", _SHARED, "a bucket for each zone"),
        (_lake(key_arn="alias/lake"), "lake.key_arn", "alias/lake", "the ARN of a KMS key"),
        (
            _sales(engine="db2"),
            "sources.sales.engine",
            "db2",
            "'postgresql', 'mysql', 'mariadb', 'sqlserver' or 'oracle'",
        ),
        (_sales(engine="mysql"), "sources.sales.certificate_arn", None, "has to be given"),
        (
            _sales(start_position="mysql-bin-changelog.000024:373"),
            "sources.sales.start_position",
            "mysql-bin-changelog.000024:373",
            "where migration is cdc",
        ),
        (
            _sales(migration="cdc", start_position="4AF/B0"),
            "sources.sales.start_position",
            "4AF/B0",
            "with slot_name only",
        ),
        (
            lambda dev: dev.update(replication={"serverless": {"min_units": 1, "max_units": 3}}),
            "replication.serverless.max_units",
            3,
            "allowed: 1, 2, 4, 8",
        ),
        (
            lambda dev: dev.update(replication={"serverless": {"min_units": 8, "max_units": 4}}),
            "replication.serverless.max_units",
            4,
            "at least min_units",
        ),
        (_sales(migration="load"), "sources.sales.migration", "load", "'full-load-and-cdc', 'full-load' or 'cdc'"),
        (
            _table("sales.log", {"key": ["id"], "parallel_load": {"partitions": []}}),
            "sources.sales.tables.sales.log.parallel_load",
            {"partitions": []},
            "columns with boundaries",
        ),
        (
            _table("sales.log", {"key": ["id"], "parallel_load": {"columns": ["id"], "boundaries": [["1", "2"]]}}),
            "sources.sales.tables.sales.log.parallel_load.boundaries",
            [["1", "2"]],
            "as many values in each",
        ),
        (_sales(engine="mysql", ssl_mode="require"), "sources.sales.ssl_mode", "require", "verify-ca, verify-full"),
        (_sales(log_reader="binary"), "sources.sales.log_reader", "binary", "none with postgresql"),
        (_sales(certificate_file="ca.sso"), "sources.sales.certificate_file", "ca.sso", "a .pem file"),
        (_sales(certificate_file="/ca.pem"), "sources.sales.certificate_file", "/ca.pem", "from cdk.json's folder"),
        (_sales(rds={"engine_version": "18"}), "sources.sales.rds.engine_version", "18", "a full engine version"),
        (_sales(rds={"max_storage_gb": 54}), "sources.sales.rds.max_storage_gb", 54, "at least 10 percent more"),
        (_insights(8), "sources.sales.rds.performance_insights_days", 8, "7, a multiple of 31 up to 713, or 731"),
        (_sales(rds={"ca_certificate": "ca"}), "sources.sales.rds.ca_certificate", "ca", "authority of RDS"),
        (_sales(rds=None), "sources.sales.rds", None, "exactly one of rds and external"),
        (_sales(database="my-sales"), "sources.sales.database", "my-sales", "for a database that RDS makes"),
        (_external({}), "sources.sales.external.secret_arn", None, "one of secret_arn and secret_name"),
        (
            _external({"secret_name": "a"}),
            "sources.sales.external.address",
            None,
            "one of address and security_group_id",
        ),
        (_external({**_ERP, "address": "erp.acme"}), "sources.sales.external.address", "erp.acme", "an IPv4 address"),
        (
            _external({**_ERP, "secret_name": "a b"}),
            "sources.sales.external.secret_name",
            "a b",
            "the name of a secret",
        ),
        (_sales(lob_max_kb=None), "sources.sales.lob_max_kb", None, "has to be given"),
        (_sales(max_batch_seconds=0), "sources.sales.max_batch_seconds", 0, "from 1 to 3600"),
        (_sales(tabels={}), "sources.sales.tabels", {}, "there are engine, "),
        (_table("orders", {"key": ["id"]}), "sources.sales.tables.orders", "orders", "<schema>.<table>"),
        (_table("sales.order%", {"key": ["id"]}), "sources.sales.tables.sales.order%", "sales.order%", "wildcard"),
        (_table("sales.a/b", {"key": ["id"]}), "sources.sales.tables.sales.a/b", "sales.a/b", "no slash"),
        (_sales(samples="commmerce"), "sources.sales.samples.kind", "commmerce", "commerce, people, type-zoo"),
        (_sales(samples={"kind": "people", "rows": 0}), "sources.sales.samples.rows", 0, "from 1 to"),
        (_sales(samples={"kind": "type-zoo", "rows": 9}), "sources.sales.samples.rows", 9, "allowed: none with"),
        (_sales(samples="commerce", tables=_CLIENTS), "sources.sales.tables.sales.clients.key", ["no"], "['id']"),
        (
            _external({"secret_name": "shop", "address": "10.1.2.3"}, samples="people"),
            "sources.sales.samples",
            "people",
            "made here",
        ),
        (_table("sales.log", {}), "sources.sales.tables.sales.log.key", None, "has to be given"),
        (_table("sales.log", {"key": "id"}), "sources.sales.tables.sales.log.key", "id", "[]"),
        (_table("sales.log", {"key": ["a", "a"]}), "sources.sales.tables.sales.log.key", ["a", "a"], "column once"),
        (_table("sales.log", {"key": [""]}), "sources.sales.tables.sales.log.key.0", "", "a column's name"),
        (_table("sales.log", {"key": [], "keys": 1}), "sources.sales.tables.sales.log.keys", 1, "there are key, lob"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    refused: Callable[[Change], SettingsError], change: Change, field: str, value: object, allowed: str
) -> None:
    error = refused(change)
    assert (error.field, error.value) == (field, value)
    assert allowed in error.allowed
    assert error.file == "cdk.json (dev)"


def test_an_engine_that_rds_does_not_have_is_external(refused: Callable[[Change], SettingsError]) -> None:
    error = refused(_sales(engine="oracle"))
    assert (error.field, error.allowed) == (
        "sources.sales.rds",
        "allowed: none with oracle, whose databases are external",
    )


def test_a_version_that_is_not_used_is_not_judged(tmp_path: Path) -> None:
    document = json.loads(CDK_JSON.read_text())
    serverless = {"engine_version": "3.5.3", "serverless": {"min_units": 1, "max_units": 8}}
    document["context"]["environments"]["dev"]["replication"] = serverless
    path = tmp_path / "cdk.json"
    path.write_text(json.dumps(document))
    assert load_settings(path, "dev").replication.serverless is not None


def test_what_change_data_capture_needs_is_not_overridden(refused: Callable[[Change], SettingsError]) -> None:
    error = refused(_sales(rds={"parameters": {"rds.logical_replication": "0"}}))
    assert error.field == "sources.sales.rds.parameters"
    assert error.allowed == "allowed: others than rds.logical_replication, which is set already"


def test_all_mistakes_are_told_at_once(refused: Callable[[Change], SettingsError]) -> None:
    def change(dev: dict[str, Any]) -> None:
        dev.update(multi_az=1, tags=[], apply={"memory_mb": 1})

    error = refused(change)
    assert isinstance(error, SettingsErrors)
    assert [each.field for each in error.errors] == ["multi_az", "tags", "apply.memory_mb"]
    assert len(str(error).splitlines()) == 3
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes


def test_samples_bring_their_tables_and_what_is_said_of_one_comes_on_top(tmp_path: Path) -> None:
    document = json.loads(CDK_JSON.read_text())
    shop = {**document["context"]["defaults"]["sources"]["sales"], "samples": "commerce"}
    del shop["tables"]
    logged = {"sales.clients": {"lob_max_kb": 8}, "sales.log": {"key": []}}
    people = {"samples": {"kind": "people", "rows": 9}, "tables": None, "engine": "sqlserver", "database": "people"}
    document["context"]["environments"]["dev"]["sources"] = {
        "shop": shop,
        "log": {**shop, "tables": logged},
        "sales": people,
    }
    path = tmp_path / "cdk.json"
    path.write_text(json.dumps(document))
    found = load_settings(path, "dev").sources
    assert found["shop"].tables["sales.sales_items"].key == ("sale_id", "line_no")
    assert list(found["log"].tables) == [*found["shop"].tables, "sales.log"]
    assert found["log"].tables["sales.clients"] == TableSettings(key=("id",), lob_max_kb=8)
    assert list(found["sales"].tables) == ["hr.people"]
    assert load_settings(CDK_JSON, "dev").sources["sales"].samples is None


def test_an_unknown_environment_names_those_there_are() -> None:
    with pytest.raises(
        SettingsError, match="'qa' is not allowed; the environments are dev, staging, prod, laptop, laptop-spark"
    ):
        load_settings(CDK_JSON, "qa")


def test_a_table_listed_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cdk.json"
    path.write_text(CDK_JSON.read_text().replace('"sales.products": {', '"sales.clients": {'))
    with pytest.raises(SettingsError, match=r"sales\.clients.*stands here twice"):
        load_settings(path, "dev")


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_file_that_is_no_settings_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cdk.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match="whole file"):
        load_settings(path, "dev")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="whole file"):
        environment_names(tmp_path / "cdk.json")


@pytest.mark.parametrize(("word", "meant"), [("true", True), ("false", False), (True, True)])
def test_a_single_flag_overrides_the_environment(word: object, meant: bool) -> None:
    assert load_settings(CDK_JSON, "prod", {"multi_az": word}).multi_az is meant


@pytest.mark.parametrize(("flag", "value"), [("multi_az", "maybe"), ("warehouse", "true"), ("apply", "true")])
def test_a_flag_that_is_none_is_refused(flag: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"-c {flag}: '{value}' is not allowed"):
        load_settings(CDK_JSON, "dev", {flag: value})


def test_an_environment_adds_to_the_defaults_and_null_takes_away(tmp_path: Path) -> None:
    document = json.loads(CDK_JSON.read_text())
    tables = {"sales.clients": None, "sales.visits": {"key": []}}
    document["context"]["environments"]["dev"]["sources"] = {"sales": {"tables": tables}}
    path = tmp_path / "cdk.json"
    path.write_text(json.dumps(document))
    found = load_settings(path, "dev").sources["sales"].tables
    assert "sales.clients" not in found
    assert found["sales.visits"].key == ()
    assert "sales.products" in found


def test_an_environment_may_be_like_another_but_for_what_it_says() -> None:
    laptop, spark = (load_settings(CDK_JSON, name) for name in ("laptop", "laptop-spark"))
    assert spark.sources["sales"].tables["hard.swaps"].engine == "spark"
    assert spark.tables_files()["sales"]["tables"]["hard.swaps"] == {"key": ["id"], "engine": "spark"}
    sources = {"sales": spark.sources["sales"].model_copy(update={"tables": laptop.sources["sales"].tables})}
    assert spark.model_copy(update={"environment": "laptop", "sources": sources}) == laptop


def test_an_environment_like_none_is_refused(refused: Callable[[Change], SettingsError]) -> None:
    error = refused(lambda dev: dev.update(like="laptop-spark"))
    assert (error.field, error.value) == ("like", "laptop-spark")
    assert error.allowed == "allowed: staging, prod, laptop"


def test_commands_find_the_prefix_of_what_is_deployed(tmp_path: Path) -> None:
    document = json.loads(CDK_JSON.read_text())
    document["context"]["environments"]["dev"]["stack_prefix"] = "acme"
    document["context"]["environments"]["qa"] = {"like": "dev", "no_longer_a_setting": 1}
    path = tmp_path / "cdk.json"
    path.write_text(json.dumps(document))
    assert [stack_prefix(path, name) for name in ("dev", "qa", "prod", "gone")] == [
        "acme",
        "acme",
        "catchment",
        "catchment",
    ]
    assert stack_prefix(tmp_path / "none.json", "dev") == "catchment"


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = load_settings(CDK_JSON, "dev")
    with pytest.raises(ValueError, match="frozen"):
        settings.multi_az = True  # type: ignore[misc]


@pytest.mark.parametrize("part", [Settings, SourceSettings, TableSettings])
def test_every_setting_is_explained(part: type[BaseModel]) -> None:
    text = (CDK_JSON.parent / "docs" / "settings.md").read_text()

    def names(model: type[BaseModel], prefix: str = "") -> list[str]:
        found = []
        for name, field in model.model_fields.items():
            either = get_args(field.annotation) if isinstance(field.annotation, UnionType) else [field.annotation]
            kinds = [kind for kind in either if isinstance(kind, type)]
            [nested] = [kind for kind in kinds if issubclass(kind, BaseModel)] or [None]
            found += names(nested, f"{prefix}{name}.") if nested else [prefix + name]
        return found

    # a replica's database is a source's
    asked = [re.sub(r"^replica\.(rds|external)\.", r"\1.", name) for name in names(part)]
    unexplained = [name for name in asked if f"`{name}`" not in text and f'"{name}"' not in text]
    assert [name for name in unexplained if name not in ("environment", "sources")] == []


def test_app_py_says_what_is_wrong_with_a_broken_cdk_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "cdk.json"
    broken.write_text('{"context": {"env": "dev" "defaults": {}}}')
    monkeypatch.setattr(context, "CDK_JSON", broken)
    assert app.main() == 2
    assert capsys.readouterr().err.startswith("cdk.json: (whole file): ")


def test_sources_may_be_left_out_for_one_command() -> None:
    chosen = load_settings(CDK_JSON, "laptop-sources", {"sources": "shop"})
    whole = load_settings(CDK_JSON, "laptop-sources")
    assert chosen.sources == {"shop": whole.sources["shop"]}
    assert set(whole.sources) == {"sales", "shop"}
    with pytest.raises(SettingsError, match="-c sources: 'people' is not allowed; the sources are sales, shop"):
        load_settings(CDK_JSON, "laptop-sources", {"sources": "shop,people"})
