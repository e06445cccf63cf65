"""Reading YAML and JSON as people mean them: names stay texts, nothing is read twice, errors say where."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from catchment.errors import SettingsError


class _Loader(yaml.SafeLoader):
    """YAML where only true, false and (in lower case) null are not text.

    YAML 1.1 reads a column called ``no`` as false, ``1e3`` as a number and ``2024-01-01`` as a date; and whoever
    writes ``null_value: NULL`` means these four letters.
    """

    yaml_implicit_resolvers: dict[str, list[object]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a name must be a text", key.start_mark)
            key.tag = "tag:yaml.org,2002:str"
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=True)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(?i:true|false)$"), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("(?:~|null|)$"), ["~", "n", ""])


def load_document(text_or_path: str | Path, name: str) -> object:
    """Parse a YAML or JSON document; ``name`` is what errors call it.

    Raises SettingsError where the file cannot be opened, is not UTF-8, is neither YAML nor JSON, or names one thing
    twice.
    """
    text = text_or_path if isinstance(text_or_path, str) else _opened(text_or_path, name)
    try:
        if text.lstrip().startswith("{"):
            return _json_or_flow_yaml(text, name)
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        field = f"line {where.line + 1}, column {where.column + 1}" if where else "(whole file)"
        raise SettingsError(name, field, str(getattr(error, "problem", error)), "allowed is YAML or JSON") from error


def _opened(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        found = error.strerror or str(error)
        raise SettingsError(name, "(whole file)", found, "allowed is a text file that can be read") from error
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x} at position {error.start}"
        raise SettingsError(name, "(whole file)", found, "allowed is text in UTF-8") from error


def _json_or_flow_yaml(text: str, name: str) -> object:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        seen = dict(pairs)
        if len(seen) < len(pairs):
            twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
            raise SettingsError(name, twice, seen[twice], "a name may stand once only")
        return seen

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError:
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
