"""DependencyLayer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Stack
from aws_cdk.aws_lambda import Architecture, Code, ILayerVersion, LayerVersion
from aws_cdk.aws_s3 import Bucket
from constructs import Construct

from catchment_constructs.acknowledge import acknowledge
from catchment_constructs.python_function import PYTHON


class DependencyLayer(Construct):
    """A layer of locked third-party packages that is built when it is published, not when the app is synthesized.

    The asset is named by a hash of the lock file, and its content is what ``build`` makes: a command that prints the
    path of a zip file. So templates are the same wherever and whenever they are made, synthesis needs neither network
    nor Docker, and a layer that is already in the asset bucket is never built again.

    Example: ``DependencyLayer(self, "Layer", lock=Path("requirements.txt"), build=["python", "-m", "bundle"]).layer``
    """

    def __init__(self, scope: Construct, construct_id: str, *, lock: Path, build: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        identity = json.dumps([lock.read_text(encoding="utf-8"), PYTHON.name, Architecture.ARM_64.name])
        location = Stack.of(self).synthesizer.add_file_asset(
            source_hash=hashlib.sha256(identity.encode()).hexdigest(),
            executable=list(build),
            display_name=f"{construct_id} (third-party packages)",
        )
        bucket = Bucket.from_bucket_name(self, "Assets", location.bucket_name)
        self.layer: ILayerVersion = LayerVersion(
            self,
            "Resource",
            code=Code.from_bucket(bucket, location.object_key),
            compatible_runtimes=[PYTHON],
            compatible_architectures=[Architecture.ARM_64],
            description="Third-party packages of the functions",
        )
        acknowledge(
            self,
            {
                "@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified": (
                    "The object's key is a hash of its content's lock file: another content has another key."
                )
            },
        )
