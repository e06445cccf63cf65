"""Synthesizing without the CDK command line, for the laptop run and for tests. Imports no CDK itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catchment.settings import load_settings

ROOT = Path(__file__).parent.parent


class SynthesisFailed(Exception):
    """The app could not be synthesized; the message is what it printed."""


@dataclass(frozen=True)
class Command:
    """A program to run: its arguments, environment and working folder."""

    arguments: list[str]
    environment: dict[str, str]
    folder: Path


def synthesis(
    environment: str, outdir: Path, *, flags: Mapping[str, bool | str] | None = None, cdk_validation: bool = False
) -> Command:
    """The command that synthesizes one environment into ``outdir``, for those who run their processes themselves.

    ``flags`` are what ``-c name=value`` overrides. cdk-nag runs always; ``cdk_validation`` adds CDK's own
    checks of the templates, which take several seconds. Raises SettingsError for settings that say what they may not.
    """
    load_settings(ROOT / "cdk.json", environment, flags)
    interpreter = Path(sys.executable).parent
    variables = {
        **os.environ,
        # jsii takes the first node of the path: the one installed beside this Python.
        "PATH": f"{interpreter}{os.pathsep}{os.environ.get('PATH', '')}",
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps({"env": environment, **(flags or {})}),
        "CDK_VALIDATION": "true" if cdk_validation else "false",
    }
    return Command([sys.executable, str(ROOT / "app.py")], variables, ROOT)


def synthesize(
    environment: str, outdir: Path, *, flags: Mapping[str, bool | str] | None = None, cdk_validation: bool = False
) -> Path:
    """Run the command of ``synthesis``; the cloud assembly is in ``outdir``, which is returned.

    Raises SettingsError, and SynthesisFailed for anything else.
    """
    command = synthesis(environment, outdir, flags=flags, cdk_validation=cdk_validation)
    done = subprocess.run(
        command.arguments, cwd=command.folder, env=command.environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SynthesisFailed(done.stderr.strip() or done.stdout.strip())
    return outdir
