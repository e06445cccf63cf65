"""Custom resource: empties a bucket when it is deleted, because CloudFormation deletes empty buckets only."""

from __future__ import annotations

from typing import Any

import boto3

from lambda_src.custom_resource import custom_resource
from lambda_src.deadline import Deadline


@custom_resource(physical_id=lambda event: str(event["ResourceProperties"]["BucketName"]))
def handler(event: dict[str, Any], context: Any) -> None:
    """Delete removes every object; create and update do nothing."""
    if event["RequestType"] == "Delete":
        empty(boto3.client("s3"), event["ResourceProperties"]["BucketName"], Deadline(context))


def empty(s3: Any, bucket: str, deadline: Deadline) -> None:
    """Remove every object of an unversioned bucket. Raises TimeoutError when there are too many for one call."""

    def nothing_left() -> bool:
        while objects := s3.list_objects_v2(Bucket=bucket, MaxKeys=1000).get("Contents"):
            keys = [{"Key": each["Key"]} for each in objects]
            refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True}).get("Errors")
            if refused:
                raise PermissionError(f"{bucket}: {refused[0]['Key']}: {refused[0].get('Message')}")
            if deadline.seconds_left() < 0:
                return False
        return True

    try:
        deadline.wait(nothing_left, f"{bucket} still holds objects")
    except s3.exceptions.NoSuchBucket:
        return
