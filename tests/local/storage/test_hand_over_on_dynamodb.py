"""Handing a lease over on the DynamoDB of the local AWS. Scope: catchment.leases.dynamodb, with real contenders."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catchment.errors import LeaseTaken
from catchment.leases.dynamodb import DynamoLease
from local.aws import LocalAws


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(Path(tmp_path_factory.mktemp("aws")) / "server") as server:
        server.client("dynamodb").create_table(
            TableName="control",
            KeySchema=[{"AttributeName": "table", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "table", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield server


def lease(aws: LocalAws, seconds: int = 60) -> DynamoLease:
    return DynamoLease(aws.client("dynamodb"), "control", prefix="sales/", seconds=seconds)


def test_nobody_but_the_token_gets_in_and_only_once(aws: LocalAws) -> None:
    lease(aws).acquire("handed").hand_over("job 1", 60)

    def come(number: int) -> str | None:
        token = "job 1" if number % 2 else None
        try:
            lease(aws).acquire("handed", token=token)
        except LeaseTaken:
            return None
        return token or "without"

    with ThreadPoolExecutor(8) as pool:
        inside = [who for who in pool.map(come, range(16)) if who]
    assert inside == ["job 1"]


def test_the_former_holder_can_do_nothing_more(aws: LocalAws) -> None:
    former = lease(aws).acquire("former")
    former.look()
    former.hand_over("job 1", 60)
    for call in (former.look, former.check, lambda: former.hand_over("job 2", 60)):
        with pytest.raises(LeaseTaken):
            call()
    former.release(force=True)
    with pytest.raises(LeaseTaken, match="job 1"):
        lease(aws).acquire("former")


def test_a_poke_while_nobody_has_come_yet_is_heard_afterwards(aws: LocalAws) -> None:
    lease(aws).acquire("poked").hand_over("job 1", 60)
    held = lease(aws).acquire("poked", token="job 1")
    held.look()
    with pytest.raises(LeaseTaken):
        lease(aws).acquire("poked")
    assert held.release() is False
    held.look()
    assert held.release()


def test_a_job_that_never_comes_keeps_nobody_out_for_long(aws: LocalAws) -> None:
    lease(aws).acquire("forgotten").hand_over("job 1", -10)
    second = lease(aws).acquire("forgotten")
    second.hand_over("job 2", 60)
    with pytest.raises(LeaseTaken):
        lease(aws).acquire("forgotten", token="job 1")
    lease(aws).acquire("forgotten", token="job 2").release(force=True)
