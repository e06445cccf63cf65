"""CloudFormation: resource types, and what is checked before a stack is touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import changesets, handlers, provisioners, stacks

from local.aws.resources.kind import Created, Properties, ResourceKind


def register(kinds: Mapping[str, ResourceKind]) -> None:
    """Add resource types, or put ours in the place of ministack's."""
    for name, kind in kinds.items():
        provisioners._RESOURCE_HANDLERS[name] = {
            **provisioners._RESOURCE_HANDLERS.get(name, {}),
            "create": _creator(kind),
            "update": _updater(name, kind),
            "update_with_logical_id": True,
            "delete": kind.delete,
            "delete_with_logical_id": False,
        }
        if kind.replacing:
            provisioners._REPLACING_PROPERTIES[name] = tuple(kind.replacing)
        if kind.slow:
            _give_a_thread(name)


def physical_name(stack: str, logical_id: str, max_len: int = 63) -> str:
    """The name CloudFormation gives a resource that its template leaves unnamed."""
    name: str = provisioners._physical_name(stack, logical_id, max_len=max_len)
    return name


def inspect_templates_with(inspect: Callable[[Properties, dict[str, bool]], list[str]]) -> None:
    """Refuse a template to which ``inspect`` (template, its conditions) objects, before anything is made of it."""
    support = handlers.validate_template_support

    def validate(template: Properties, conditions: dict[str, bool], *rest: Any, **named: Any) -> None:
        found = inspect(template, conditions)
        if found:
            raise ValueError("; ".join(found))
        support(template, conditions, *rest, **named)

    handlers.validate_template_support = validate
    changesets.validate_template_support = validate


def _give_a_thread(name: str) -> None:
    decide = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind == name or decide(kind)


def _creator(kind: ResourceKind) -> Callable[..., tuple[str, dict[str, Any]]]:
    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        made = kind.create(logical_id, properties, stack)
        return made.physical_id, made.attributes

    return create


def _updater(name: str, kind: ResourceKind) -> Callable[..., tuple[str, dict[str, Any]]]:
    def update(
        physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        if kind.update is None:
            replaced: tuple[str, dict[str, Any]] = provisioners._replace_resource(
                name, physical_id, old, new, stack, logical_id
            )
            return replaced
        changed = kind.update(physical_id, old, new)
        return changed.physical_id, changed.attributes

    return update


def refuse_when(name: str, objections: Callable[[Properties], list[str]]) -> None:
    """Let one of ministack's types fail to be made when there are ``objections`` to its properties."""
    handler = provisioners._RESOURCE_HANDLERS[name]
    create = handler["create"]

    def with_objections(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        found = objections(properties)
        if found:
            raise ValueError("; ".join(found))
        made: tuple[str, dict[str, Any]] = create(logical_id, properties, stack)
        return made

    handler["create"] = with_objections


def replace_when(name: str, *properties: str) -> None:
    """Let a change of these properties of one of ministack's types make a new resource under a new name."""
    provisioners._REPLACING_PROPERTIES[name] = (*provisioners._REPLACING_PROPERTIES[name], *properties)


def add_attributes(name: str, attributes: Callable[[Properties], dict[str, Any]]) -> None:
    """Let ``Fn::GetAtt`` give more of one of ministack's types: ``attributes`` reads them from the properties."""
    handler = provisioners._RESOURCE_HANDLERS[name]
    create, update = handler["create"], handler["update"]

    def with_create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        physical_id, known = create(logical_id, properties, stack)
        return physical_id, {**known, **attributes(properties)}

    def with_update(physical_id: str, old: Properties, new: Properties, *rest: Any) -> tuple[str, dict[str, Any]]:
        changed_id, known = update(physical_id, old, new, *rest)
        return changed_id, {**known, **attributes(new)}

    handler.update(create=with_create, update=with_update)


def builtin_kind(name: str) -> ResourceKind:
    """ministack's own implementation of a type, to be built upon."""
    handler = provisioners._RESOURCE_HANDLERS[name]

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        return Created(*handler["create"](logical_id, properties, stack))

    if handler.get("update_with_logical_id"):
        raise ValueError(f"{name}: its update needs the logical id, which ours does not hand on")

    def update(physical_id: str, old: Properties, new: Properties) -> Created:
        return Created(*handler["update"](physical_id, old, new, ""))

    return ResourceKind(create, handler["delete"], update)


def tell_stack_states(put_event: Callable[[Mapping[str, object]], None]) -> None:
    """Put an event on the default bus whenever a stack has another state, as CloudFormation does."""
    add_event = stacks._add_event

    def told(stack_id: str, stack_name: str, logical_id: str, kind: str, status: str, *rest: Any, **named: Any) -> None:
        add_event(stack_id, stack_name, logical_id, kind, status, *rest, **named)
        if kind == "AWS::CloudFormation::Stack" and logical_id == stack_name:
            detail = {"stack-id": stack_id, "status-details": {"status": status, "status-reason": ""}}
            put_event(
                {
                    "Source": "aws.cloudformation",
                    "DetailType": "CloudFormation Stack Status Change",
                    "Detail": json.dumps(detail),
                    "Resources": [stack_id],
                }
            )

    stacks._add_event = told
