"""From a cdk.json to the frozen settings of one environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from catchment.errors import SettingsError, SettingsErrors
from catchment.settings.models import Settings
from catchment.settings.samples import with_tables

DEFAULT_STACK_PREFIX = "catchment"
SOURCES = "sources"
"""The flag that names the sources which are wanted."""


def load_settings(path: Path, environment: str, flags: Mapping[str, object] | None = None) -> Settings:
    """The settings of one environment: ``context.defaults`` overridden by ``context.environments.<environment>``.

    An environment that says ``"like": "<another>"`` overrides that one instead.
    ``flags`` override the yes-or-no settings at the top, as ``-c multi_az=true`` does; their values are true and
    false or these words. ``sources``, with names separated by commas, leaves out all other sources of the environment.
    In an environment null takes away what the defaults say.
    Raises SettingsError, or SettingsErrors for several, naming the file, the field, its value and what is allowed.
    """
    merged: dict[str, Any] = {}
    for _, part in layers(path, environment):
        merged = _merge(merged, part)
    merged["environment"] = environment
    if isinstance(sources := merged.get("sources"), Mapping):
        merged["sources"] = {name: with_tables(source) for name, source in sources.items()}
    for name, value in (flags or {}).items():
        if name == SOURCES:
            merged[name] = _chosen(path.name, value, merged.get(name, {}))
        else:
            merged[name] = _flag(path.name, name, value)
    try:
        return Settings.model_validate_json(json.dumps(merged))
    except ValidationError as refused:
        raise _as_settings_error(f"{path.name} ({environment})", refused.errors()) from None


def layers(path: Path, environment: str) -> list[tuple[str, dict[str, Any]]]:
    """The parts of a cdk.json that make an environment, each over the one before, with their names in the file.

    Raises SettingsError for an environment that is not there.
    """
    context = read_context(path)
    environments = context.get("environments", {})
    if environment not in environments:
        raise SettingsError(path.name, "env", environment, f"the environments are {_listed(environments)}")
    own = dict(environments[environment])
    found = [("defaults", dict(context.get("defaults", {})))]
    if (like := own.pop("like", None)) is not None:
        allowed = [other for other, said in environments.items() if "like" not in said]
        if like not in allowed:
            raise SettingsError(f"{path.name} ({environment})", "like", like, f"allowed: {_listed(allowed)}")
        found.append((f"environments.{like}", dict(environments[like])))
    return [*found, (f"environments.{environment}", own)]


def stack_prefix(path: Path, environment: str) -> str:
    """What the stacks of a deployed environment are named after, as a cdk.json says it.

    ``catchment`` where there is no such file, or it knows no such environment (any more): what is deployed may be
    older than what is written. Raises SettingsError when the file is no JSON.
    """
    known = path.is_file() and environment in environment_names(path)
    said = [part["stack_prefix"] for _, part in layers(path, environment) if "stack_prefix" in part] if known else []
    return str(said[-1]) if said else DEFAULT_STACK_PREFIX


def read_context(path: Path) -> dict[str, Any]:
    """The context of a cdk.json: settings and CDK's feature flags. Raises SettingsError when it is no JSON."""
    return dict(_read(path).get("context", {}))


def environment_names(path: Path) -> tuple[str, ...]:
    """The environments a cdk.json has, in its order. Raises SettingsError when it is no JSON."""
    return tuple(read_context(path).get("environments", {}))


def flag_names() -> tuple[str, ...]:
    """The settings that a single ``-c name=true`` may override."""
    return ("deletion_protection", "destroy_data", "multi_az")


def _read(path: Path) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise SettingsError(path.name, name, name, "a name may stand once in its place; it stands here twice")
        return dict(pairs)

    try:
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)
    except (json.JSONDecodeError, OSError) as error:
        raise SettingsError(path.name, "(whole file)", str(error), "a JSON file is needed") from None
    if not isinstance(document, dict):
        raise SettingsError(path.name, "(whole file)", type(document).__name__, "an object is needed")
    return document


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(name), Mapping):
            merged[name] = _merge(merged[name], value)
        else:
            merged[name] = value
    return merged


def _chosen(file: str, value: object, sources: Mapping[str, Any]) -> dict[str, Any]:
    names = str(value).split(",")
    unknown = [name for name in names if name not in sources]
    if unknown:
        raise SettingsError(file, f"-c {SOURCES}", ",".join(unknown), f"the sources are {_listed(sources)}")
    return {name: sources[name] for name in names}


def _flag(file: str, name: str, value: object) -> bool:
    if name not in flag_names():
        raise SettingsError(file, f"-c {name}", value, f"the flags are env, {SOURCES}, {', '.join(flag_names())}")
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise SettingsError(file, f"-c {name}", value, "allowed: true or false")


def _as_settings_error(file: str, errors: list[ErrorDetails]) -> SettingsError:
    found = [_one(file, error) for error in errors]
    return found[0] if len(found) == 1 else SettingsErrors(tuple(found))


def _one(file: str, error: ErrorDetails) -> SettingsError:
    path = tuple(str(part) for part in error["loc"] if part != "[key]")
    value: object = error["input"]
    if error["type"] == "missing":
        return SettingsError(file, ".".join(path), None, "it has to be given")
    if error["type"] == "extra_forbidden":
        return SettingsError(file, ".".join(path), value, f"there is no such setting; there are {_known(path[:-1])}")
    allowed = f"allowed: {error['ctx']['expected']}" if error["type"] == "literal_error" else _in_words(error)
    field = error.get("ctx", {}).get("field", ())
    for name in (field,) if isinstance(field, str) else field:
        if isinstance(value, dict):
            path, value = (*path, name), value.get(name)
    return SettingsError(file, ".".join(path), value, allowed)


def _in_words(error: ErrorDetails) -> str:
    """pydantic's message, but for what it calls by the names of its own types."""
    kinds = {"tuple_type": "a list; [] where there is none", "string_type": "a text"}
    kinds |= dict.fromkeys(("dict_type", "model_type"), "an object with names and values")
    return f"allowed: {kinds[error['type']]}" if error["type"] in kinds else error["msg"]


def _known(path: tuple[str, ...]) -> str:
    """The names a settings model at a path knows, in words."""
    model: type[BaseModel] = Settings
    for part in path:
        field = model.model_fields.get(part)
        if field is not None:
            nested = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_model(kind)]
            model = nested[0] if nested else model
    return _listed(name for name in model.model_fields if name != "environment")


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _listed(names: Any) -> str:
    return ", ".join(names) or "none"
