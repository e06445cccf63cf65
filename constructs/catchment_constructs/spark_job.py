"""SparkJob."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk.aws_glue import CfnJob
from aws_cdk.aws_iam import Grant, IGrantable, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_logs import LogGroup, RetentionDays
from aws_cdk.aws_s3 import IBucket
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from catchment_constructs.acknowledge import acknowledge, objects_finding

GLUE_VERSION = "5.1"
"""Spark 3.5.6, Delta 3.3.2, Python 3.11, Java 17 (AWS Glue Developer Guide, "AWS Glue versions")."""

_EVENTS = "spark-events/"

DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}


@dataclass(frozen=True, kw_only=True)
class JobCode:
    """What the job runs: its script, Python code as a zip beside it, and third-party packages with their versions."""

    script: Asset
    library: Asset
    modules: Sequence[str]


class SparkJob(Construct):
    """A Glue job on Spark and Delta with a role of its own that may write its own log, and nothing else until granted.

    A failed run is not tried again by Glue: whoever started it decides. ``arguments`` are the job's default arguments
    by name, without the dashes. The job may put metrics into ``metric_namespace``, and is told
    it. What Spark's own page shows of a run is kept below ``spark-events/`` of ``artifacts``.

    Example: ``SparkJob(self, "Spark", code=code, worker_type="G.1X", workers=4, …).grant_start(role)``
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: JobCode,
        arguments: Mapping[str, str],
        artifacts: IBucket,
        worker_type: str,
        workers: int,
        timeout_minutes: int,
        max_runs: int,
        log_prefix: str,
        log_retention: RetentionDays,
        metric_namespace: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = Role(self, "Role", assumed_by=ServicePrincipal("glue.amazonaws.com"))
        for name in ("output", "error"):  # the two that Glue writes to under a prefix of ours
            log_group = LogGroup(
                self,
                f"Log-{name}",
                log_group_name=f"{log_prefix}/{name}",
                retention=log_retention,
                removal_policy=RemovalPolicy.DESTROY,
            )
            log_group.grant_write(self.role)
        for asset in (code.script, code.library):
            self.allow(actions=["s3:GetObject"], resources=[asset.bucket.arn_for_objects(asset.s3_object_key)])
        self._allow_events(artifacts)
        if metric_namespace is not None:
            self._let_measure(metric_namespace)
        self._job = CfnJob(
            self,
            "Job",
            role=self.role.role_arn,
            command=CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=code.script.s3_object_url
            ),
            glue_version=GLUE_VERSION,
            worker_type=worker_type,
            number_of_workers=workers,
            timeout=timeout_minutes,
            max_retries=0,
            execution_property=CfnJob.ExecutionPropertyProperty(max_concurrent_runs=max_runs),
            default_arguments={
                "--datalake-formats": "delta",
                "--conf": " --conf ".join(f"{name}={value}" for name, value in DELTA.items()),
                "--extra-py-files": code.library.s3_object_url,
                "--additional-python-modules": ",".join(code.modules),
                "--job-bookmark-option": "job-bookmark-disable",
                "--enable-spark-ui": "true",
                "--spark-event-logs-path": artifacts.s3_url_for_object(_EVENTS),
                "--custom-logGroup-prefix": log_prefix,
                **({"--metric_namespace": metric_namespace} if metric_namespace is not None else {}),
                **{f"--{name}": value for name, value in arguments.items()},
            },
        )
        acknowledge(
            self._job,
            {
                "AwsSolutions-GL1": "Its log holds names and counts, no rows, and is encrypted as the functions' are.",
                "AwsSolutions-GL3": "It keeps no bookmark: the tables themselves say which files they contain.",
            },
        )
        self.job_name = self._job.ref
        """The job's name."""

    def _allow_events(self, artifacts: IBucket) -> None:
        # Spark looks for the folder, writes a log under a passing name, and renames it when the run has ended.
        objects = artifacts.arn_for_objects(f"{_EVENTS}*")
        self.allow(actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], resources=[objects])
        self.role.add_to_policy(
            PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[artifacts.bucket_arn],
                conditions={"StringLike": {"s3:prefix": f"{_EVENTS}*"}},
            )
        )
        finding = objects_finding(self, artifacts, f"{_EVENTS}*")
        self.acknowledge({finding: "Each run has event logs of its own below the folder."})

    def allow(self, *, actions: Sequence[str], resources: Sequence[str]) -> None:
        """Let the job do something."""
        self.role.add_to_policy(PolicyStatement(actions=list(actions), resources=list(resources)))

    def acknowledge(self, reasons: Mapping[str, str]) -> None:
        """Say why a finding about the job's role is no danger."""
        acknowledge(self.role, reasons)

    def _let_measure(self, namespace: str) -> None:
        """PutMetricData takes no resource in IAM (Service Authorization Reference, Amazon CloudWatch)."""
        self.role.add_to_policy(
            PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
            )
        )
        self.acknowledge(
            {"AwsSolutions-IAM5[Resource::*]": f"It may put metrics into the namespace {namespace} alone."}
        )

    def grant_start(self, grantee: IGrantable) -> Grant:
        """Let somebody start runs of this job."""
        arn = Stack.of(self).format_arn(
            service="glue",
            resource="job",
            resource_name=self.job_name,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        return Grant.add_to_principal(grantee=grantee, actions=["glue:StartJobRun"], resource_arns=[arn])
