"""A lease handed over by a token: nobody gets in between, one gets it, and it ends if nobody comes.

Scope: the leases of one process and of one machine; DynamoDB's is in tests/local/storage/test_hand_over_on_dynamodb.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from catchment.errors import LeaseTaken
from catchment.leases import HandedOver, Held, Lease, MemoryLease
from catchment.leases.file import FileLease


@pytest.fixture(params=["memory", "file"])
def lease(request: pytest.FixtureRequest, tmp_path: Path) -> Lease:
    return MemoryLease() if request.param == "memory" else FileLease(tmp_path)


def refused(take: Callable[[], Held]) -> bool:
    try:
        take()
    except LeaseTaken:
        return True
    return False


def test_only_the_token_gets_a_lease_that_was_handed_over(lease: Lease) -> None:
    lease.acquire("s.t").hand_over("job 1", 60)
    with pytest.raises(LeaseTaken, match="job 1"):
        lease.acquire("s.t")
    assert refused(lambda: lease.acquire("s.t", token="job 2"))
    held = HandedOver(lease, "job 1").acquire("s.t")
    assert refused(lambda: lease.acquire("s.t", token="job 1")), "a token is good for one holder"
    held.look()
    held.check()
    assert held.release()
    assert lease.acquire("s.t").release()


def test_a_token_whose_time_is_up_keeps_nobody_out(lease: Lease) -> None:
    lease.acquire("s.t").hand_over("job 1", -1)
    held = lease.acquire("s.t")
    assert refused(lambda: lease.acquire("s.t", token="job 1"))
    assert held.release(force=True)
    assert lease.acquire("s.t", token="job 1").release(), "a lease that is free is had with a token, too"


def test_of_many_that_come_at_once_the_token_lets_one_in(lease: Lease) -> None:
    lease.acquire("s.t").hand_over("job 1", 60)
    gate, inside = threading.Barrier(8), []

    def come(token: str | None) -> None:
        gate.wait()
        if not refused(lambda: lease.acquire("s.t", token=token)):
            inside.append(token)

    threads = [threading.Thread(target=come, args=("job 1" if n % 2 else None,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == ["job 1"]


def test_a_poke_on_the_way_is_heard_by_whoever_was_handed_the_lease() -> None:
    lease = MemoryLease()
    lease.acquire("s.t").hand_over("job 1", 60)
    held = lease.acquire("s.t", token="job 1")
    held.look()
    assert refused(lambda: lease.acquire("s.t"))
    assert held.release() is False
    held.look()
    assert held.release()


def test_one_who_stands_in_line_waits_for_a_handed_over_lease_too(tmp_path: Path) -> None:
    FileLease(tmp_path).acquire("s.t").hand_over("job 1", 60)
    got: list[Held] = []
    waiting = threading.Thread(target=lambda: got.append(FileLease(tmp_path, wait=True).acquire("s.t")))
    waiting.start()
    held = FileLease(tmp_path).acquire("s.t", token="job 1")
    assert got == []
    held.release()
    waiting.join()
    got[0].release()
