"""Custom resource: sample files in a bucket, written anew whenever their size or seed changes.

They stay when the resource goes.
"""

from __future__ import annotations

from typing import Any

import boto3

from catchment.samples.files import sample_files
from lambda_src.custom_resource import custom_resource


@custom_resource(physical_id=lambda event: f"SampleFiles:{event['ResourceProperties']['BucketName']}")
def handler(event: dict[str, Any], _context: Any) -> None:
    """Write the files below the prefix."""
    if event["RequestType"] == "Delete":
        return
    said = event["ResourceProperties"]
    s3 = boto3.client("s3")
    for name, content in sample_files(int(said["Rows"]), int(said["Seed"])):
        s3.put_object(Bucket=said["BucketName"], Key=f"{said['Prefix']}{name}", Body=content)
