"""The contract of each table: its key, its columns where they are declared, and what DMS was told to write.

The tables file (YAML or JSON) has a section ``landing`` and a section ``tables``::

    landing: {format: csv, timestamp_column: dms_ts, sequence_column: dms_seq, before_image_prefix: BI_}
    tables:
      public.orders:
        key: [order_id]
        columns: {order_id: int, customer: string, total: "decimal(12,2)"}
        landing: {delimiter: "|"}

Every line of ``landing`` may be given again for one table, and so may ``deletion_vectors: true``, which marks changed
rows where writing their files again would cost more. ``partition_by: [region]`` keeps the files of each value apart.
A line that is null is as good as not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from catchment.errors import SettingsError
from catchment.landing.document import load_document
from catchment.landing.names import TableName
from catchment.landing.types import ALLOWED, PARTITIONING, DeltaType

RESERVED = "_catchment_seq"


def _delimiter(text: str) -> str:
    text = "\t" if text == "\\t" else text
    if len(text) != 1 or text in '"\r\n' or not text.isascii():
        raise ValueError("one ASCII character other than a double quote or a line end (\\t is the tabulator)")
    return text


def _null_value(text: str) -> str:
    if any(c in text for c in '"\r\n'):
        raise ValueError("a text without double quotes and line ends")
    return text


def _filled(text: str) -> str:
    if not text:
        raise ValueError("a text that is not empty; leave the line out or say null where there is none")
    return text


def _column_name(text: str) -> str:
    if not text or text.casefold() == RESERVED or text.startswith("~"):
        raise ValueError(f"a column's name: not empty, not {RESERVED}, not beginning with ~")
    return text


def _delta_type(value: object) -> DeltaType:
    if isinstance(value, DeltaType):
        return value
    if not isinstance(value, str):
        raise ValueError(f"one of {ALLOWED}")
    return DeltaType.parse(value)


EngineName = Literal["auto", "lambda", "spark"]
Filled = Annotated[str, AfterValidator(_filled)]
ColumnName = Annotated[str, AfterValidator(_column_name)]


class LandingFormat(BaseModel):
    """What the DMS endpoint of a table was told to write; the defaults are those of the tables file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["parquet", "csv"] = "parquet"
    header: bool = False
    delimiter: Annotated[str, AfterValidator(_delimiter)] = ","
    null_value: Annotated[str, AfterValidator(_null_value)] = ""
    op_in_full_load: bool = True
    timestamp_column: Filled | None = None
    sequence_column: Filled | None = None
    before_image_prefix: Filled | None = None

    @model_validator(mode="after")
    def _null_value_holds_no_delimiter(self) -> LandingFormat:
        if self.delimiter in self.null_value:
            raise ValueError("null_value must not contain the delimiter")
        return self

    @model_validator(mode="after")
    def _added_columns_are_told_apart(self) -> LandingFormat:
        names = ["op", *(n.casefold() for n in (self.timestamp_column, self.sequence_column) if n is not None)]
        if len(set(names)) < len(names):
            raise ValueError("names for timestamp_column and sequence_column that differ from each other and from Op")
        return self


def _without_nulls(value: object) -> object:
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, Mapping) else value


def _none_is_empty(value: object) -> object:
    return {} if value is None else value


Switch = Annotated[bool, Field(strict=True)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[tuple[ColumnName, ...], BeforeValidator(lambda v: () if v is None else v)] = ()
    columns: dict[ColumnName, Annotated[DeltaType, PlainValidator(_delta_type)]] | None = None
    renamed: Annotated[dict[ColumnName, ColumnName], BeforeValidator(_none_is_empty)] = Field(default_factory=dict)
    landing: Annotated[dict[str, Any], BeforeValidator(_none_is_empty)] = Field(default_factory=dict)
    engine: EngineName = "auto"
    deletion_vectors: Switch | None = None
    partition_by: Annotated[tuple[ColumnName, ...], BeforeValidator(lambda v: () if v is None else v)] = ()


class _TablesFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    landing: Annotated[LandingFormat, BeforeValidator(lambda v: _without_nulls(_none_is_empty(v)))] = LandingFormat()
    deletion_vectors: Switch | None = None
    tables: dict[str, Annotated[_Table, BeforeValidator(_none_is_empty)]] = Field(min_length=1)


@dataclass(frozen=True)
class TableContract:
    """What is agreed on one table. ``key`` is empty where it has none; ``columns`` is None where undeclared.

    ``columns`` is in the order of the source. ``engine`` is who applies the changes where the stacks are deployed:
    ``auto`` chooses by size. ``deletion_vectors``: changed rows may be masked. ``renamed`` leads from former names of
    columns to present ones. ``partition_by`` are the columns whose values the table's files are kept apart by.
    """

    name: TableName
    key: tuple[str, ...]
    columns: dict[str, DeltaType] | None
    landing: LandingFormat
    engine: EngineName = "auto"
    deletion_vectors: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    partition_by: tuple[str, ...] = ()


def load_contracts(text_or_path: str | Path, *, source_name: str | None = None) -> dict[TableName, TableContract]:
    """Read a tables file: a ``Path`` is opened, a ``str`` is the text itself (YAML or JSON).

    ``source_name`` is what errors call the file (default: the path). Raises SettingsError with the file, the dotted
    path of the field, its value and what is allowed there; for a file that cannot be read as well.
    """
    name = source_name or (str(text_or_path) if isinstance(text_or_path, Path) else "tables")
    document = load_document(text_or_path, name)
    parsed = _validated(_TablesFile, document, name, "")
    contracts = (_contract(name, text, table, parsed) for text, table in parsed.tables.items())
    return {contract.name: contract for contract in contracts}


def _contract(file: str, text: str, table: _Table, defaults: _TablesFile) -> TableContract:
    field = f"tables.{text}"
    try:
        name = TableName.parse(text)
    except ValueError as error:
        raise SettingsError(file, field, text, f"allowed is {error}") from error
    # A null line falls back to the built-in default, not to the file's: this is how a table switches a line off.
    merged = {k: v for k, v in {**defaults.landing.model_dump(), **table.landing}.items() if v is not None}
    landing = _validated(LandingFormat, merged, file, f"{field}.landing")
    _check_names(file, field, table, landing)
    vectors = defaults.deletion_vectors if table.deletion_vectors is None else table.deletion_vectors
    return TableContract(
        name, table.key, table.columns, landing, table.engine, bool(vectors), table.renamed, table.partition_by
    )


def _check_names(file: str, field: str, table: _Table, landing: LandingFormat) -> None:
    _refuse_twins(file, f"{field}.key", table.key)
    _refuse_twins(file, f"{field}.partition_by", table.partition_by)
    _refuse_twins(file, f"{field}.renamed", (*table.renamed, *table.renamed.values()))
    present = {name.casefold() for name in (*table.key, *table.partition_by, *(table.columns or ()))}
    for former in table.renamed:
        if former.casefold() in present:
            raise SettingsError(file, f"{field}.renamed", former, "allowed are former names, which no column has now")
    if table.columns is None:
        return
    if not table.columns:
        raise SettingsError(file, f"{field}.columns", {}, "allowed is at least one column, or no line columns at all")
    _refuse_twins(file, f"{field}.columns", tuple(table.columns))
    for part in table.key:
        if part not in table.columns:
            raise SettingsError(file, f"{field}.key", part, f"allowed are the columns {', '.join(table.columns)}")
    _check_partitions(file, f"{field}.partition_by", table.partition_by, table.columns)
    added = {landing.timestamp_column, landing.sequence_column} - {None}
    for column in table.columns:
        if column in added:
            raise SettingsError(file, f"{field}.columns.{column}", column, "allowed are columns of the source only")


def _check_partitions(file: str, field: str, partition_by: tuple[str, ...], columns: Mapping[str, DeltaType]) -> None:
    for name in partition_by:
        kind = columns.get(name)
        if kind is None:
            raise SettingsError(file, field, name, f"allowed are the columns {', '.join(columns)}")
        if kind.name not in PARTITIONING:
            allowed = f"allowed are columns of the types {', '.join(PARTITIONING)}; this one is {kind}"
            raise SettingsError(file, field, name, allowed)


def _refuse_twins(file: str, field: str, names: tuple[str, ...]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if (twin := seen.setdefault(name.casefold(), name)) is not name or names.count(name) > 1:
            allowed = f"allowed are names that differ in more than case (there is {twin!r} already)"
            raise SettingsError(file, field, name, allowed)


Model = TypeVar("Model", bound=BaseModel)


def _validated(model: type[Model], document: object, file: str, prefix: str) -> Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join([*([prefix] if prefix else []), *(str(part) for part in first["loc"] if part != "[key]")])
        raise SettingsError(file, path or "(whole file)", first["input"], _allowed(model, first)) from error


def _allowed(model: type[BaseModel], error: ErrorDetails) -> str:
    """Pydantic's finding in the words of the other settings errors."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return f"allowed is {context['error']}"
    if kind == "extra_forbidden":
        return f"no such line; allowed are {', '.join(_siblings(model, error['loc']))}"
    if kind == "missing":
        return "the line is missing"
    if kind == "literal_error":
        return f"allowed is {context['expected']}"
    return _KINDS.get(kind, error["msg"])


def _siblings(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    if model is _TablesFile and location[0] == "tables":
        return list(_Table.model_fields)
    if model is _TablesFile and location[0] == "landing" and len(location) > 1:
        return list(LandingFormat.model_fields)
    return list(model.model_fields)


_KINDS = {
    "string_type": "allowed is a text",
    "bool_parsing": "allowed is true or false",
    "bool_type": "allowed is true or false",
    "tuple_type": "allowed is a list of column names",
    "dict_type": "allowed is a mapping",
    "model_type": "allowed is a mapping",
    "model_attributes_type": "allowed is a mapping",
    "too_short": "allowed is at least one table",
}
