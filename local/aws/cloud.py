"""What the server process is made of: ministack, and what it lacks, tied together."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from local.aws import ministack_seam as seam
from local.aws.dms_host import DmsHost
from local.aws.functions.pool import FunctionPool
from local.aws.grants import USED
from local.aws.jobs.runner import JobRunner
from local.aws.monitoring.watch import AlarmWatch
from local.aws.resources import ec2, s3, secrets
from local.aws.resources.conditions import request_context
from local.aws.resources.dms import DmsKinds
from local.aws.resources.inspection import objections
from local.aws.resources.rds import DatabaseKinds
from local.aws.resources.types import TYPES


class Cloud:
    """Everything that lives in the server process.

    ``folder`` holds its files, ``endpoint`` is the URL it serves.
    """

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._functions = FunctionPool(folder, endpoint)
        self._jobs = JobRunner(folder, endpoint)
        self._dms = DmsHost(folder / "dms", endpoint, seam.put_service_event)
        self._databases = DatabaseKinds(
            folder / "rds", seam.database_records(), seam.set_database_endpoint, seam.database_parameters
        )
        self._alarms = AlarmWatch(seam.StackAlarms(), seam.read_samples, seam.publish_gauges)
        seam.keep_objects_on_disk()
        seam.evaluate_alarms_ourselves()
        seam.run_functions_with(self._functions.invoke)
        seam.run_jobs_with(self._jobs)
        seam.note_what_is_used(folder / USED)
        seam.judge_as_aws_does(request_context)
        seam.deliver_as_permitted()
        seam.keep_keys_of_topics()
        seam.answer_dms(self._dms.handle)
        seam.tell_stack_states(seam.put_service_event)
        seam.inspect_templates_with(partial(objections, coverage=TYPES))
        seam.add_attributes("AWS::EC2::VPC", lambda properties: {"CidrBlock": properties["CidrBlock"]})
        seam.refuse_when("AWS::Lambda::EventSourceMapping", seam.queue_objections)
        seam.replace_when("AWS::DynamoDB::Table", "KeySchema", "LocalSecondaryIndexes")
        seam.register(ec2.kinds(seam.ec2))
        buckets = seam.builtin_kind("AWS::S3::Bucket")
        seam.register(s3.kinds(buckets, folder / "s3", seam.bucket_holds_objects, seam.encrypt_bucket))
        seam.register(secrets.kinds())
        seam.register(self._databases.kinds())
        seam.register(DmsKinds(self._dms, seam.physical_name).kinds())

    def serve(self, listener: socket.socket) -> None:
        """Answer requests until SIGTERM or SIGINT, then stop what was started."""
        with ExitStack() as stopping:
            # in reverse: what writes is stopped before what it writes to
            stopping.callback(self._databases.stop)
            stopping.callback(self._functions.stop)
            stopping.callback(self._jobs.stop_all)
            stopping.callback(self._dms.close)
            self._alarms.start()
            stopping.callback(self._alarms.stop)
            seam.serve(listener)
