"""The functions that come with this package."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import SymlinkFollowMode
from aws_cdk.aws_lambda import Code


def own_code() -> Code:
    """The code of the functions behind this package's custom resources. They need boto3 alone, which Lambda brings.

    Example: ``DmsTaskLifecycle(self, "TaskLifecycle", code=own_code(), …)``
    """
    functions = Path(__file__).parent / "functions"
    return Code.from_asset(str(functions), follow_symlinks=SymlinkFollowMode.ALWAYS, exclude=["**/__pycache__"])
