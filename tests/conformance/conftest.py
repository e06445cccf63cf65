"""Which engines the suite runs on: all that this interpreter has, or the one that ``--engine`` names."""

from __future__ import annotations

import pytest

from tests.conformance.engines import ENGINES


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=sorted(ENGINES), help="the one engine to hold to the suite")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = metafunc.config.getoption("--engine")
    names = [chosen] if chosen else list(ENGINES)
    delta = [name for name in names if ENGINES[name].delta]
    # what takes long is asked of the first engine only, unless slow tests are run
    asked = {"engine": names, "first_engine": names[:1], "delta_engine": delta, "first_delta_engine": delta[:1]}
    for fixture, found in asked.items():
        if fixture in metafunc.fixturenames:
            engines = [ENGINES[name] for name in found]
            marks = {each.name: [pytest.mark.slow] if each.seldom and not chosen else [] for each in engines}
            metafunc.parametrize(fixture, [pytest.param(e, id=e.name, marks=marks[e.name]) for e in engines])
