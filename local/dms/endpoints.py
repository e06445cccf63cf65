"""The API of endpoints and their connection tests."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.dms.access import AWS_ERRORS, AwsAccess
from local.dms.api_model import page, select
from local.dms.faults import invalid_combination, invalid_state, invalid_value
from local.dms.registry import Registry, new_identifier, public
from local.dms.settings import SOURCE_SETTINGS, SettingRefused, s3_settings, source_settings
from local.dms.sources import ERRORS, KINDS

ENGINES = {"source": tuple(KINDS), "target": ("s3",)}

_REFUSALS: tuple[type[Exception], ...] = (*ERRORS, *AWS_ERRORS, KeyError, ValueError, OSError)
"""What a connection that does not come about raises."""

_WITHOUT_EFFECT = ("KmsKeyId", "SslMode", "CertificateArn", "Tags", "ResourceIdentifier")
"""Parameters kept and shown: the embedded source is on the loopback interface, has no TLS and keeps no secrets."""
_USED = (
    "EndpointIdentifier",
    "EndpointType",
    "EngineName",
    "Username",
    "Password",
    "ServerName",
    "Port",
    "DatabaseName",
)

_FILTERS = {
    "endpoint-arn": lambda r: r["EndpointArn"],
    "endpoint-type": lambda r: r["EndpointType"].lower(),
    "endpoint-id": lambda r: r["EndpointIdentifier"],
    "engine-name": lambda r: r["EngineName"],
}
_CONNECTION_FILTERS = {
    "endpoint-arn": lambda r: r["EndpointArn"],
    "replication-instance-arn": lambda r: r["ReplicationInstanceArn"],
}


class EndpointApi:
    """Actions on endpoints. ``target_url`` gives the place of a bucket, ``access`` the AWS they live in."""

    def __init__(
        self, registry: Registry, arn_prefix: str, access: AwsAccess, target_url: Callable[[str], str]
    ) -> None:
        self._registry, self._prefix, self._access, self._target_url = registry, arn_prefix, access, target_url
        for connection in registry.all("connection"):
            if connection["Status"] == "testing":  # the service died while it was trying
                connection.update(Status="failed", LastFailureMessage="the test was interrupted")
        registry.save()

    def create_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        """Make an endpoint; it is active at once."""
        arn = f"{self._prefix}:endpoint:{params.get('ResourceIdentifier') or new_identifier()}"
        record = {
            **params,
            "EndpointIdentifier": params["EndpointIdentifier"].lower(),
            "EndpointArn": arn,
            "Status": "active",
            "SslMode": params.get("SslMode", "none"),
            "_arn": arn,
        }
        _check(record)
        self._registry.add("endpoint", arn, record, name="EndpointIdentifier")
        return {"Endpoint": _shown(record)}

    def modify_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change an endpoint on which no task runs. Its connection has to be tested again."""
        record = self._registry.get("endpoint", params["EndpointArn"])
        self._refuse_while_used(record, running_only=True)
        own = _own_settings(record)
        changed = {**record, **{k: v for k, v in params.items() if k != "ExactSettings"}}
        if own in params and not params.get("ExactSettings"):
            changed[own] = {**record.get(own, {}), **params[own]}
        _check(changed)
        self._registry.put("endpoint", record["EndpointArn"], changed)
        self._forget_connections(record["EndpointArn"])
        return {"Endpoint": _shown(changed)}

    def delete_endpoint(self, params: dict[str, Any]) -> dict[str, Any]:
        """Remove an endpoint that no task has."""
        record = self._registry.get("endpoint", params["EndpointArn"])
        self._refuse_while_used(record, running_only=False)
        self._registry.remove("endpoint", record["EndpointArn"])
        self._forget_connections(record["EndpointArn"])
        return {"Endpoint": {**_shown(record), "Status": "deleting"}}

    def describe_endpoints(self, params: dict[str, Any]) -> dict[str, Any]:
        """List endpoints."""
        found = select(self._registry.all("endpoint"), params, _FILTERS, "Endpoints")
        return page([_shown(record) for record in found], params, "Endpoints")

    def test_connection(self, params: dict[str, Any]) -> dict[str, Any]:
        """Try an endpoint, in the background: it may live behind the server that asks."""
        endpoint = self._registry.get("endpoint", params["EndpointArn"])
        instance = self._registry.get("instance", params["ReplicationInstanceArn"])
        key = f"{params['ReplicationInstanceArn']} {params['EndpointArn']}"
        connection = {
            "ReplicationInstanceArn": params["ReplicationInstanceArn"],
            "EndpointArn": params["EndpointArn"],
            "Status": "testing",
            "EndpointIdentifier": endpoint["EndpointIdentifier"],
            "ReplicationInstanceIdentifier": instance["ReplicationInstanceIdentifier"],
            "_key": key,
        }
        self._registry.put("connection", key, connection)
        threading.Thread(target=self._try, args=(dict(endpoint), connection), daemon=True).start()
        return {"Connection": public(connection)}

    def describe_connections(self, params: dict[str, Any]) -> dict[str, Any]:
        """List connections with the outcome of their tests."""
        found = select(self._registry.all("connection"), params, _CONNECTION_FILTERS, "Connections")
        return page([public(record) for record in found], params, "Connections")

    def delete_connection(self, params: dict[str, Any]) -> dict[str, Any]:
        """Forget a tested connection."""
        key = f"{params['ReplicationInstanceArn']} {params['EndpointArn']}"
        record = self._registry.get("connection", key)
        self._registry.remove("connection", key)
        return {"Connection": {**public(record), "Status": "deleting"}}

    def require_tested(self, instance_arn: str, endpoint_arn: str) -> None:
        """Refuse to start a task whose connection has not been tested with success. Raises DmsFault."""
        key = f"{instance_arn} {endpoint_arn}"
        if not any(c["_key"] == key and c["Status"] == "successful" for c in self._registry.all("connection")):
            raise invalid_state(
                f"Test connection for replication instance {instance_arn} and endpoint {endpoint_arn} "
                "should be successful for starting the replication task"
            )

    def _try(self, endpoint: dict[str, Any], connection: dict[str, Any]) -> None:
        try:
            if endpoint["EndpointType"].lower() == "source":
                self._try_source(endpoint)
            else:
                self._try_target(endpoint)
            outcome = {"Status": "successful"}
        except _REFUSALS as error:
            outcome = {"Status": "failed", "LastFailureMessage": f"{type(error).__name__}: {error}".strip()}
        with self._registry.lock:
            connection.update(outcome)
            self._registry.save()

    def _try_source(self, endpoint: dict[str, Any]) -> None:
        KINDS[endpoint["EngineName"]].try_connection(self._access.source_address(endpoint))

    def _try_target(self, endpoint: dict[str, Any]) -> None:
        settings = s3_settings(endpoint["S3Settings"])
        target = self._access.target(self._target_url(settings["BucketName"]), settings)
        folder = "/".join(part for part in (settings["BucketFolder"].strip("/"), "awsdms_test") if part)
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "test"
            file.write_text("connection test")
            target.put(f"{folder}/test", file)
        target.delete_folder(folder)

    def _refuse_while_used(self, record: dict[str, Any], *, running_only: bool) -> None:
        arn = record["EndpointArn"]
        for task in self._registry.all("task"):
            busy = task["Status"] in ("starting", "running", "stopping")
            if arn in (task["SourceEndpointArn"], task["TargetEndpointArn"]) and (busy or not running_only):
                raise invalid_state(f"Endpoint {arn} is used by task {task['ReplicationTaskArn']}.")

    def _forget_connections(self, endpoint_arn: str) -> None:
        for connection in self._registry.all("connection"):
            if connection["EndpointArn"] == endpoint_arn:
                self._registry.remove("connection", connection["_key"])


def _check(record: dict[str, Any]) -> None:
    kind = record["EndpointType"].lower()
    if record["EngineName"] not in ENGINES[kind]:
        raise invalid_value(
            f"EngineName {record['EngineName']!r} as a {kind} is not emulated: {', '.join(ENGINES[kind])}"
        )
    own = _own_settings(record)
    known = {*_USED, *_WITHOUT_EFFECT, own, "EndpointArn", "Status", "_arn"}
    strange = sorted(name for name, value in record.items() if name not in known and value)
    if strange:
        raise invalid_value(f"{', '.join(strange)}: not emulated for {record['EngineName']}")
    try:
        _check_own(kind, record)
    except SettingRefused as error:
        raise invalid_value(str(error)) from error


def _check_own(kind: str, record: dict[str, Any]) -> None:
    if kind == "target":
        s3_settings(record.get("S3Settings", {}))
        return
    source_settings(record)
    given = {**record, **record.get(_own_settings(record), {})}
    KINDS[record["EngineName"]].check(given)
    address = [name for name in ("ServerName", "Port", "Username", "Password") if given.get(name)]
    if bool(given.get("SecretsManagerSecretId")) == bool(address):
        raise invalid_combination("either SecretsManagerSecretId or ServerName, Port, Username and Password")


def _own_settings(record: dict[str, Any]) -> str:
    return "S3Settings" if record["EndpointType"].lower() == "target" else SOURCE_SETTINGS[record["EngineName"]]


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    shown = public(record)
    shown["EndpointType"] = record["EndpointType"].upper()
    if "S3Settings" in record:
        shown["S3Settings"] = public(s3_settings(record["S3Settings"]))
    return shown
