"""Changes the password of a source's database, one step a call, as Secrets Manager asks.

Its User Guide, "Lambda rotation functions": ``{"Step": …, "SecretId": ARN, "ClientRequestToken": version}``; each step
may be asked for again. The user changes its own password; until the last step the secret's current version is the old
one. SOURCES says of each ``secret`` its ``engine`` and ``database``; EXCLUDED is what no password may hold.
"""

from __future__ import annotations

import json
import logging
import secrets
import string
from collections.abc import Callable, Mapping
from functools import cache
from os import environ
from typing import Any

import boto3

from catchment.engines import engine
from catchment.engines.connection import connected
from catchment.engines.trust import Trust
from catchment.errors import SourceUnreachable

LENGTH = 30
"""Characters of a password; RDS takes 41 from MySQL and more from the others."""
CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"

_LOG = logging.getLogger(__name__)


def handler(event: dict[str, Any], _context: object) -> None:
    """Do one step. Raises SourceUnreachable where the database takes neither password, KeyError for another step."""
    _STEPS[event["Step"]](event["SecretId"], event["ClientRequestToken"])


def _create(secret: str, version: str) -> None:
    if _stages(secret).get(version):
        return
    login = {**_value(secret, CURRENT), "password": _password()}
    _secrets().put_secret_value(
        SecretId=secret, ClientRequestToken=version, SecretString=json.dumps(login), VersionStages=[PENDING]
    )


def _set(secret: str, version: str) -> None:
    pending = _value(secret, PENDING, version)
    name, database = _source(secret)
    try:
        with connected(name, pending, database, Trust()):
            return
    except SourceUnreachable:
        _LOG.info("%s: the new password is not known to the database yet", secret)
    known = [stage for stages in _stages(secret).values() for stage in stages if stage in (CURRENT, PREVIOUS)]
    refused: SourceUnreachable | None = None
    for stage in sorted(known):
        login = _value(secret, stage)
        try:
            with connected(name, login, database, Trust()) as query:
                knowing = engine(name).upkeep
                assert knowing is not None, "the stack names no source of another engine"
                knowing.change_password(query, login["username"], login["password"], pending["password"])
                return
        except SourceUnreachable as error:
            refused = refused or error
    if refused is not None:
        raise refused


def _test(secret: str, version: str) -> None:
    name, database = _source(secret)
    with connected(name, _value(secret, PENDING, version), database, Trust()) as query:
        query("SELECT 1")


def _finish(secret: str, version: str) -> None:
    [current] = [known for known, stages in _stages(secret).items() if CURRENT in stages]
    if current != version:
        _secrets().update_secret_version_stage(
            SecretId=secret, VersionStage=CURRENT, MoveToVersionId=version, RemoveFromVersionId=current
        )


_STEPS: Mapping[str, Callable[[str, str], None]] = {
    "createSecret": _create,
    "setSecret": _set,
    "testSecret": _test,
    "finishSecret": _finish,
}


def _password() -> str:
    kinds = [string.ascii_lowercase, string.ascii_uppercase, string.digits]
    marks = "".join(set(string.punctuation) - set(environ["EXCLUDED"]))
    letters = [secrets.choice(kind) for kind in kinds]
    letters += [secrets.choice("".join(kinds) + marks) for _ in range(LENGTH - len(kinds))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def _value(secret: str, stage: str, version: str | None = None) -> dict[str, Any]:
    named = {"VersionId": version} if version is not None else {}
    found = _secrets().get_secret_value(SecretId=secret, VersionStage=stage, **named)
    return dict(json.loads(found["SecretString"]))


def _stages(secret: str) -> dict[str, list[str]]:
    return dict(_secrets().describe_secret(SecretId=secret)["VersionIdsToStages"])


def _source(secret: str) -> tuple[str, str]:
    [said] = [each for each in json.loads(environ["SOURCES"]) if each["secret"] == secret]
    return said["engine"], said["database"]


@cache
def _secrets() -> Any:
    return boto3.client("secretsmanager")
