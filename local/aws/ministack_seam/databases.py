"""RDS: the records of database instances."""

from __future__ import annotations

from ministack.services import rds
from ministack.services.cloudformation import provisioners

from local.aws.resources.kind import Created, Properties, ResourceKind


def database_records() -> ResourceKind:
    """What DescribeDBInstances answers about a deployed instance: made, changed, deleted; no server behind it."""

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        return Created(*provisioners._rds_db_instance_create(logical_id, properties, stack))

    def update(identifier: str, old: Properties, new: Properties) -> Created:
        record = rds._instances[identifier]
        fields = provisioners._rds_db_instance_fields
        provisioners._rds_apply_changed(record, fields(old), fields(new))
        return Created(identifier, provisioners._rds_db_instance_attrs(record))

    return ResourceKind(create, provisioners._rds_db_instance_delete, update)


def set_database_endpoint(identifier: str, address: str, port: int) -> None:
    """Where DescribeDBInstances says a database answers."""
    rds._instances[identifier]["Endpoint"].update(Address=address, Port=port)


def database_parameters(group: str) -> dict[str, str]:
    """The values that a parameter group's template sets."""
    values = rds._param_groups[group].get("Parameters", {})
    return {name: str(value["ParameterValue"]) for name, value in values.items()}
