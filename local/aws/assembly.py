"""A cloud assembly, as ``cdk synth`` writes it: stacks in their order, assets with their destinations."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


@dataclass(frozen=True)
class Stack:
    """One stack of the assembly; ``needs`` are the ids of the stacks that come first."""

    id: str
    name: str
    template: Path
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Asset:
    """A file to be put into ``bucket`` at ``key`` before the stacks that name it are deployed.

    ``source`` is None for what a command builds when the CDK's own command line publishes it: a layer of packages.
    """

    source: Path | None
    zipped: bool
    bucket: str
    key: str

    def content(self) -> bytes:
        """The bytes to upload; a folder is zipped with fixed times, so that the same folder gives the same bytes.

        What a command would build is not built: an empty zip stands for it, and functions then take their packages
        from the environment this runs in.
        """
        if self.source is None:
            return _EMPTY_ZIP
        if not self.zipped:
            return self.source.read_bytes()
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted(self.source.rglob("*")):
                if path.is_file():
                    entry = zipfile.ZipInfo(path.relative_to(self.source).as_posix(), (1980, 1, 1, 0, 0, 0))
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    entry.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
                    archive.writestr(entry, path.read_bytes())
        return target.getvalue()


class Assembly:
    """Reads ``folder`` (cdk.out) for one account and region. Raises FileNotFoundError when it is not an assembly."""

    def __init__(self, folder: Path, account: str, region: str) -> None:
        self._folder = folder
        self._names = {"${AWS::AccountId}": account, "${AWS::Region}": region, "${AWS::Partition}": "aws"}
        self._artifacts: dict[str, dict[str, Any]] = json.loads((folder / "manifest.json").read_text())["artifacts"]

    def stacks(self, wanted: set[str] | None = None) -> list[Stack]:
        """The stacks, each after those it needs; those named (by id or stack name) and their needs when given.

        Raises KeyError for a name that is not in the assembly.
        """
        found = {
            id_: Stack(
                id_,
                artifact["properties"].get("stackName", id_),
                self._folder / artifact["properties"]["templateFile"],
                tuple(need for need in artifact.get("dependencies", []) if self._is_stack(need)),
            )
            for id_, artifact in self._artifacts.items()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        if wanted is None:
            chosen = list(found)
        else:
            ids = {stack.name: stack.id for stack in found.values()} | {id_: id_ for id_ in found}
            chosen = [ids[name] for name in sorted(wanted)]
        ordered: dict[str, Stack] = {}

        def place(id_: str) -> None:
            if id_ in ordered:
                return
            for need in found[id_].needs:
                place(need)
            ordered[id_] = found[id_]

        for id_ in chosen:
            place(id_)
        return list(ordered.values())

    def assets(self) -> list[Asset]:
        """All file assets but the templates, which are handed over directly."""
        assets: dict[tuple[str, str], Asset] = {}
        for artifact in self._artifacts.values():
            if artifact["type"] != "cdk:asset-manifest":
                continue
            manifest = json.loads((self._folder / artifact["properties"]["file"]).read_text())
            for file in manifest.get("files", {}).values():
                path = file["source"].get("path")
                if path is not None and path.endswith(".template.json"):
                    continue
                for destination in file["destinations"].values():
                    bucket, key = (self._resolve(destination[name]) for name in ("bucketName", "objectKey"))
                    zipped = file["source"].get("packaging") == "zip"
                    source = None if path is None else self._folder / path
                    assets[bucket, key] = Asset(source, zipped, bucket, key)
        return list(assets.values())

    def _is_stack(self, id_: str) -> bool:
        return self._artifacts.get(id_, {}).get("type") == "aws:cloudformation:stack"

    def _resolve(self, text: str) -> str:
        for name, value in self._names.items():
            text = text.replace(name, value)
        return text
