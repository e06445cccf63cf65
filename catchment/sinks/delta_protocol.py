"""Which Delta tables this engine can read and write, and how a table comes to need more of its readers.

The protocol forbids to write a table whose features one does not know, and to read one whose reader features one does
not know. A feature that is known here may still be refused where the table really uses it (a CHECK constraint, say).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from catchment.landing.types import DeltaType
from catchment.sinks import delta_schema
from catchment.sinks.delta_actions import Metadata, Protocol

TIMESTAMP_NTZ = "timestampNtz"
DELETION_VECTORS = "deletionVectors"

_IMPLIED_BY_WRITER = {
    2: ("appendOnly", "invariants"),
    3: ("checkConstraints",),
    4: ("changeDataFeed", "generatedColumns"),
    5: ("columnMapping",),
    6: ("identityColumns",),
}
_READS = {"columnMapping", DELETION_VECTORS, TIMESTAMP_NTZ, "v2Checkpoint", "vacuumProtocolCheck"}
_ALSO_WRITES = {
    "appendOnly",
    "invariants",
    "checkConstraints",
    "changeDataFeed",
    "generatedColumns",
    "identityColumns",
    "allowColumnDefaults",
    "domainMetadata",
}


def implied_features(protocol: Protocol) -> tuple[frozenset[str], frozenset[str]]:
    """The reader and writer features a protocol asks for, listed or implied by its numbers."""
    readers = protocol.reader_features
    writers = protocol.writer_features
    if protocol.reader == 2:
        readers |= {"columnMapping"}
    if protocol.writer < 7:
        found = (names for number, names in _IMPLIED_BY_WRITER.items() if number <= protocol.writer)
        writers |= {name for names in found for name in names}
    return readers, writers


def refusal(protocol: Protocol, metadata: Metadata) -> str | None:
    """Why this engine must leave the table alone, or None where it may read and write it."""
    if protocol.reader > 3 or protocol.writer > 7:
        return f"the table asks for reader {protocol.reader} and writer {protocol.writer}"
    readers, writers = implied_features(protocol)
    if unknown := (readers - _READS) | (writers - _READS - _ALSO_WRITES):
        return f"the table uses {', '.join(sorted(unknown))}"
    used = [name for name in sorted(writers) if name in _IN_USE and _IN_USE[name](metadata)]
    return f"the table uses {', '.join(used)}" if used else None


def protocol_for(columns: Mapping[str, DeltaType]) -> Protocol:
    """The least protocol of a new table with these columns."""
    return needing(Protocol(1, 2), columns)


def needing(protocol: Protocol, columns: Mapping[str, DeltaType]) -> Protocol:
    """The protocol, raised where the columns' types need it."""
    if any(kind.name == "timestamp_ntz" for kind in columns.values()):
        return with_features(protocol, {TIMESTAMP_NTZ})
    return protocol


def with_features(protocol: Protocol, features: Iterable[str]) -> Protocol:
    """The protocol with features that readers and writers must know, and no other that it did not imply already."""
    readers, writers = implied_features(protocol)
    wanted = frozenset(features)
    if wanted <= readers and wanted <= writers:
        return protocol
    return Protocol(3, 7, readers | wanted, writers | wanted)


def _is_on(name: str) -> Callable[[Metadata], bool]:
    return lambda metadata: metadata.configuration.get(name, "").lower() == "true"


def _said_of_fields(name: str) -> Callable[[Metadata], bool]:
    return lambda metadata: any(
        key.startswith(name) for field in delta_schema.fields(metadata.schema) for key in field.get("metadata", {})
    )


_IN_USE: Mapping[str, Callable[[Metadata], bool]] = {
    "appendOnly": _is_on("delta.appendOnly"),
    "invariants": _said_of_fields("delta.invariants"),
    "checkConstraints": lambda metadata: any(key.startswith("delta.constraints.") for key in metadata.configuration),
    "changeDataFeed": _is_on("delta.enableChangeDataFeed"),
    "generatedColumns": _said_of_fields("delta.generationExpression"),
    "identityColumns": _said_of_fields("delta.identity."),
    "columnMapping": lambda metadata: metadata.configuration.get("delta.columnMapping.mode", "none") != "none",
}
"""Features that every table of a writer version has in name: refused where they are in use."""
