"""What the CDK command line needs to deploy to the local AWS."""

from __future__ import annotations

import os

from local.aws.host import LocalAws


def cdk_environment(aws: LocalAws) -> dict[str, str]:
    """The environment in which ``npx cdk`` talks to ``aws``, and to nothing else."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**inherited, **aws.environment(), "CDK_DEFAULT_ACCOUNT": aws.account, "CDK_DEFAULT_REGION": aws.region}
