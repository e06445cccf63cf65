"""The templates: each environment is synthesized once a test run, in this process, with cdk-nag."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

# jsii takes the first node of the path: the one installed beside this Python.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ["CDK_VALIDATION"] = "false"

from aws_cdk import App
from aws_cdk.assertions import Template

from app import build
from catchment.settings import Settings, load_settings
from stacks.context import CDK_JSON, feature_flags
from tests.infrastructure.assembly import Assembly


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Settings], Assembly]:
    """Synthesizes any settings."""

    def synthesize(settings: Settings) -> Assembly:
        outdir = tmp_path_factory.mktemp(settings.environment)
        app = App(outdir=str(outdir), context=feature_flags())
        build(app, settings)
        app.synth()
        return Assembly(outdir)

    return synthesize


@pytest.fixture(scope="session")
def assembly_of(synthesized: Callable[[Settings], Assembly]) -> Callable[[str], Assembly]:
    """The cloud assembly of an environment of cdk.json."""
    return cache(lambda environment: synthesized(load_settings(CDK_JSON, environment)))


@pytest.fixture(scope="session")
def laptop(assembly_of: Callable[[str], Assembly]) -> Assembly:
    """What the laptop run deploys: every kind of table."""
    return assembly_of("laptop")


@pytest.fixture(scope="session")
def prod(assembly_of: Callable[[str], Assembly]) -> Assembly:
    """What is deployed with everything that protects data."""
    return assembly_of("prod")


@pytest.fixture(scope="session")
def replication(laptop: Assembly) -> Template:
    """The template that tells DMS what to write."""
    return laptop.template("Replication")
