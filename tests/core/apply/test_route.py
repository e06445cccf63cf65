"""The choice of the engine, and what both would cost. Scope: catchment.apply.route and catchment.apply.cost, no AWS."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catchment.apply.cost import (
    MB,
    Function,
    Job,
    Requests,
    break_even_mb,
    function_dollars,
    job_dollars,
    model,
    per_million,
    prices,
    request_dollars,
)
from catchment.apply.route import Router, Stored, Waiting, touched_mb

FUNCTION = Function(memory_mb=2048, engine_mb=1024, disk_mb=4096, commit_seconds=150, commit_mb=256, commit_files=500)
JOB = Job("G.1X", 2)
ROUTER = Router(FUNCTION, JOB, longest_minutes=60)

sizes = st.one_of(st.integers(0, 2000), st.integers(0, 20 * 1024 * MB))
changes = st.lists(st.builds(Waiting, st.sampled_from(sorted(model().decoded)), sizes), min_size=1, max_size=30)
loads = st.lists(st.builds(Waiting, st.sampled_from(sorted(model().decoded)), sizes, st.just(True)), max_size=4)
files = st.builds(lambda load, changed: load + changed, loads, changes)  # in this order they are applied
tables = st.one_of(
    st.just(Stored()),
    st.builds(Stored, st.integers(1, 500 * 1024 * MB), st.integers(1, 5000), st.integers(1, 10**10), st.booleans()),
)
functions = st.builds(
    lambda memory, disk, seconds, mb, number: Function(memory, memory // 2, disk, seconds, mb, number),
    st.integers(1024, 10_240),
    st.integers(512, 10_240),
    st.floats(15, 450),
    st.integers(1, 4096),
    st.integers(1, 10_000),
)
routers = st.builds(
    Router,
    functions,
    st.builds(Job, st.sampled_from(["G.1X", "G.2X"]), st.integers(2, 100)),
    longest_minutes=st.floats(1, 600),
)


@settings(max_examples=300, deadline=None)
@given(routers, files, tables)
def test_the_function_is_never_given_more_than_it_has(router: Router, waiting: list[Waiting], stored: Stored) -> None:
    decision = router.decide(waiting, stored)
    if decision.engine == "lambda":
        need, limits = router.needs(waiting[: decision.take], stored), router.function
        assert need.memory_mb <= limits.memory_mb
        assert need.disk_mb <= limits.disk_mb
        assert need.seconds <= limits.commit_seconds
        assert 1 <= decision.take <= max(limits.commit_files, sum(each.load for each in waiting))
        assert not any(each.load for each in waiting[decision.take :]), "a load is applied whole"
        assert decision.function.seconds <= 60 * router.longest_minutes


@settings(max_examples=300, deadline=None)
@given(routers, files, tables, st.data())
def test_more_to_do_never_goes_back_from_spark_to_the_function(
    router: Router, waiting: list[Waiting], stored: Stored, data: st.DataObject
) -> None:
    more = [replace(each, size=each.size + data.draw(sizes)) for each in waiting] + data.draw(changes)
    larger = stored
    if stored.files:
        larger = replace(stored, size=stored.size + data.draw(st.integers(0, 500 * 1024 * MB)))
    if router.decide(waiting, stored).engine == "spark":
        assert router.decide(more, larger).engine == "spark"


@pytest.mark.parametrize(
    ("waiting", "stored", "engine", "why"),
    [
        ([Waiting("parquet", 40_000)], Stored(), "lambda", "it fits"),
        ([Waiting("parquet", 40_000)] * 300, Stored(2000 * MB, 40, 20_000_000), "lambda", "it fits"),
        ([Waiting("parquet", 60 * MB)] * 5, Stored(), "lambda", "it fits"),
        ([Waiting("parquet", 2000 * MB)], Stored(), "spark", "MB of disk"),
        ([Waiting("csv.gz", 400 * MB)], Stored(), "spark", "MB of disk"),
        ([Waiting("csv", 400 * MB)], Stored(), "lambda", "it fits"),
        ([Waiting("parquet", 10 * MB)], Stored(20_000 * MB, 300, 10**9), "spark", "MB of disk"),
        ([Waiting("parquet", 2_000)], Stored(20_000 * MB, 300, 10**9), "lambda", "it fits"),
        ([Waiting("parquet", 10 * MB)], Stored(20_000 * MB, 300, 10**9, rewritten=False), "lambda", "it fits"),
        ([Waiting("parquet", 60 * MB)] * 4000, Stored(), "spark", "minutes"),
    ],
)
def test_what_goes_where(waiting: list[Waiting], stored: Stored, engine: str, why: str) -> None:
    decision = ROUTER.decide(waiting, stored)
    assert decision.engine == engine, decision.reason
    assert why in decision.reason


def test_a_batch_is_cut_to_what_the_function_can_hold() -> None:
    waiting = [Waiting("parquet", 100 * MB)] * 20
    decision = ROUTER.decide(waiting, Stored())
    assert decision.engine == "lambda"
    assert 1 < decision.take < 20
    assert ROUTER.needs(waiting[: decision.take + 1], Stored()).disk_mb > FUNCTION.disk_mb


def test_a_load_is_applied_whole_or_by_spark() -> None:
    load = [Waiting("parquet", 100 * MB, load=True)] * 20
    assert ROUTER.decide(load[:2], Stored()).take == 2
    assert ROUTER.decide(load, Stored()).engine == "spark"


def test_what_the_function_needs_time_for_alone_goes_to_spark() -> None:
    slow = Router(replace(FUNCTION, disk_mb=10_240, commit_seconds=10), JOB, longest_minutes=60)
    assert "s, the function has 10" in slow.decide([Waiting("parquet", 200 * MB)], Stored()).reason


@pytest.mark.parametrize("setting", ["lambda", "spark"])
def test_the_setting_of_the_table_decides_whatever_the_sizes_say(setting: str) -> None:
    forced = replace(ROUTER, setting=setting)
    for size in (1, 5000 * MB):
        decision = forced.decide([Waiting("parquet", size)], Stored())
        assert decision.engine == setting
        assert setting in decision.reason


def test_without_a_job_the_function_does_everything() -> None:
    assert replace(ROUTER, job=None).decide([Waiting("parquet", 5000 * MB)], Stored()).engine == "lambda"


def test_changes_rewrite_a_file_for_each_row_at_most_and_never_more_than_the_table() -> None:
    stored = Stored(100 * MB, 100, 100_000)
    row = 100 * MB // 100_000
    assert touched_mb([Waiting("parquet", 4096 + 3 * row)], stored) == pytest.approx(4, rel=0.01)
    assert touched_mb([Waiting("parquet", 50 * MB)], stored) == 100
    assert touched_mb([Waiting("parquet", 50 * MB)], Stored()) == 0


def test_spark_pays_where_the_function_would_rewrite_the_table_again_and_again() -> None:
    small_commits = replace(FUNCTION, commit_mb=8)
    far = break_even_mb(small_commits, JOB, touched_mb=1000)
    assert 8 < far < float("inf")
    assert break_even_mb(small_commits, JOB, touched_mb=2000) < far
    assert break_even_mb(FUNCTION, JOB, touched_mb=0) == float("inf")

    def by_function(landed: float) -> float:
        known, limits = model().function, small_commits
        commits = landed / limits.commit_mb
        per_landed = model().decoded["parquet"] * known.parquet_seconds_per_mb / limits.processors
        per_touched = known.touched_seconds_per_mb / limits.processors + 2 * known.transfer_seconds_per_mb
        seconds = commits * (known.start_seconds + 1000 * per_touched)
        seconds += landed * (per_landed + known.transfer_seconds_per_mb)
        return function_dollars(seconds, memory_mb=2048, disk_mb=4096, calls=0)

    def by_job(landed: float) -> float:
        known = model().job
        seconds = known.start_seconds + 1000 * (known.touched_seconds_per_mb / 4 + 2 * known.transfer_seconds_per_mb)
        seconds += landed * (model().decoded["parquet"] * known.parquet_seconds_per_mb / 4)
        return job_dollars(seconds + landed * known.transfer_seconds_per_mb, dpus=2)

    assert by_function(far) == pytest.approx(by_job(far), rel=1e-6)


def test_money_by_the_list() -> None:
    assert function_dollars(1000, memory_mb=1024, calls=0) == pytest.approx(1000 * prices().function_gb_second)
    assert job_dollars(1, dpus=2) == job_dollars(60, dpus=2) == pytest.approx(2 * 0.44 / 60)
    requests = Requests(s3_puts=1000, s3_gets=1000, queue=1, events=1, lease_writes=3)
    assert request_dollars(requests) == pytest.approx(0.0054 + 4e-7 + 1e-6 + 3 * 6.25e-7)
    assert per_million(0.5, 250_000) == 2


def test_the_decision_reads_as_a_log_line() -> None:
    line = ROUTER.decide([Waiting("parquet", 40_000)], Stored()).to_json()
    assert line["engine"] == "lambda"
    assert line["function"]["seconds"] > 0
    assert set(line["job"]) == {"seconds", "commits", "dollars", "memory_mb", "disk_mb"}
