"""The DMS API, and the events DMS sends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import ministack.app as ministack
from ministack.core import router
from ministack.core.concurrency import run_reentrant
from ministack.core.responses import request_scope
from ministack.services import eventbridge

from local.aws.account import ACCOUNT, REGION


def answer_dms(handle: Callable[[str, dict[str, Any]], dict[str, Any]]) -> None:
    """Route the DMS API (AWS JSON 1.1) to ``handle``; a fault is an exception with ``code`` and ``message``."""

    async def handler(
        _method: str, _path: str, headers: dict[str, str], body: bytes, _query: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        action = headers["x-amz-target"].rpartition(".")[2]
        status, answer = await run_reentrant(_dms_answer, handle, action, json.loads(body or b"{}"))
        return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer, default=_epoch).encode()

    ministack.SERVICE_HANDLERS["dms"] = handler
    router.SERVICE_PATTERNS["dms"] = {"target_prefixes": ["AmazonDMSv20160101."]}


def put_service_event(entry: Mapping[str, object]) -> None:
    """Put an event of a service of AWS on the default bus; PutEvents refuses sources that begin with ``aws.``."""
    with request_scope(ACCOUNT, REGION):
        eventbridge._put_events({"Entries": [dict(entry)]}, allow_aws_source=True)


def _dms_answer(
    handle: Callable[[str, dict[str, Any]], dict[str, Any]], action: str, parameters: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    try:
        return 200, handle(action, parameters)
    except Exception as fault:
        code = getattr(fault, "code", None)
        if code is None:
            raise
        return 400, {"__type": code, "message": getattr(fault, "message", str(fault))}


def _epoch(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} cannot stand in an answer")
