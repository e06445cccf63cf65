"""What the CDK command line needs to deploy to the local AWS."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from local.aws.host import LocalAws


def cdk_environment(aws: LocalAws) -> dict[str, str]:
    """The environment in which ``npx cdk`` talks to ``aws``, and to nothing else.

    The endpoint is an address, not a name, so the CLI asks for buckets by path: nothing has to resolve
    ``<bucket>.localhost``. Node is the one installed beside this Python.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **inherited,
        **aws.environment(),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "CDK_DEFAULT_ACCOUNT": aws.account,
        "CDK_DEFAULT_REGION": aws.region,
    }
