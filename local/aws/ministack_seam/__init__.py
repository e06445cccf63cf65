"""The one place that reaches into ministack: its modules, their private names, their registries.

ministack (PyPI, MIT) is young; a new version may move any of these names. tests/local/aws pins the behaviour, and
this package is where it is put right; nothing outside it imports ministack. Import it only in the server process:
ministack reads its settings from the environment when it is imported.
"""

from local.aws.ministack_seam.access import judge_as_aws_does
from local.aws.ministack_seam.cloudformation import (
    add_attributes,
    builtin_kind,
    inspect_templates_with,
    physical_name,
    refuse_when,
    register,
    replace_when,
    tell_stack_states,
)
from local.aws.ministack_seam.databases import database_parameters, database_records, set_database_endpoint
from local.aws.ministack_seam.deliveries import deliver_as_permitted, queue_objections
from local.aws.ministack_seam.dms import answer_dms, put_service_event
from local.aws.ministack_seam.invocations import run_functions_with
from local.aws.ministack_seam.jobs import run_jobs_with
from local.aws.ministack_seam.monitoring import StackAlarms, evaluate_alarms_ourselves, publish_gauges, read_samples
from local.aws.ministack_seam.networks import ec2
from local.aws.ministack_seam.objects import bucket_holds_objects, encrypt_bucket, keep_objects_on_disk
from local.aws.ministack_seam.serving import serve
from local.aws.ministack_seam.topics import keep_keys_of_topics
from local.aws.ministack_seam.usage import note_what_is_used

__all__ = [
    "StackAlarms",
    "add_attributes",
    "answer_dms",
    "bucket_holds_objects",
    "builtin_kind",
    "database_parameters",
    "database_records",
    "deliver_as_permitted",
    "ec2",
    "encrypt_bucket",
    "evaluate_alarms_ourselves",
    "inspect_templates_with",
    "judge_as_aws_does",
    "keep_keys_of_topics",
    "keep_objects_on_disk",
    "note_what_is_used",
    "physical_name",
    "publish_gauges",
    "put_service_event",
    "queue_objections",
    "read_samples",
    "refuse_when",
    "register",
    "replace_when",
    "run_functions_with",
    "run_jobs_with",
    "serve",
    "set_database_endpoint",
    "tell_stack_states",
]
