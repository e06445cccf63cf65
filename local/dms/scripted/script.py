"""The form of a written history (YAML)::

    engine: sqlserver
    database: erp
    tables:
      dbo.orders:
        key: [id]
        columns: {id: int, status: nvarchar(20), total: money}
        rows:
          - [1, new, "10.00"]
    history:
      - {at: "2026-03-01 09:00:03.418210", load: [dbo.orders]}
      - at: "2026-03-01 09:05:10.250431"
        do:
          - {insert: dbo.orders, row: [2, new, "5.00"]}
          - {update: dbo.orders, where: {id: 1}, set: {status: paid}}
          - {move: dbo.orders, keys: [[[1], [2]], [[2], [1]]]}
          - {delete: dbo.orders, where: {id: 1}}
      - at: "2026-03-01 09:06:00.000000"
        add: {table: dbo.orders, column: channel, type: nvarchar(10), default: web}

``rows`` is what a table holds at the beginning. A step's ``do`` is one transaction; with ``undone: true`` it is rolled
back. ``move`` gives several rows other keys in one statement. ``add`` adds a column, whose default no file tells.
``load`` loads tables, a second time as a reload does; with ``task: new`` by a new task. ``again: 2`` has the last so
many change files delivered once more, under names of their own. Values are text as the engine writes them; null is
NULL; bytes begin with ``0x``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from catchment.engines import ENGINES
from catchment.errors import SettingsError

HISTORIES = {path.stem: path for path in (Path(__file__).parent / "histories").glob("*.yaml")}
"""Those that come along, by name."""


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise ValueError("text in quotes, a whole number, true, false or null")


Value = Annotated[str | None, BeforeValidator(_text)]
Row = list[Value]


class Part(BaseModel):
    """What all parts of a script have in common: nothing unknown, nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TableScript(Part):
    """A table: its key, its columns with their types in the engine's words, and its first rows."""

    key: tuple[str, ...] = ()
    columns: dict[str, str] = Field(min_length=1)
    rows: list[Row] = []

    @model_validator(mode="after")
    def _fits(self) -> TableScript:
        if strange := [name for name in self.key if name not in self.columns]:
            raise ValueError(f"key: {', '.join(strange)} is no column")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ValueError(f"rows: row {number} has {len(row)} values for {len(self.columns)} columns")
        return self


class Insert(Part):
    """A row is inserted, its values in the order of the columns."""

    insert: str
    row: Row


class Update(Part):
    """Rows that have these values get others."""

    update: str
    where: dict[str, Value] = {}
    set: dict[str, Value]


class Move(Part):
    """Rows get other keys, all in one statement: pairs of old and new."""

    move: str
    keys: list[tuple[list[Value], list[Value]]]


class Delete(Part):
    """Rows that have these values go."""

    delete: str
    where: dict[str, Value] = {}


Statement = Insert | Update | Move | Delete


class Added(Part):
    """A column more, and what the source's rows hold in it from then on."""

    table: str
    column: str
    type: str
    default: Value = None


class StepScript(Part):
    """One moment of the history; exactly one of ``load``, ``do``, ``add`` and ``again``."""

    at: dt.datetime
    load: list[str] | None = None
    task: Literal["same", "new"] = "same"
    do: list[Statement] | None = None
    undone: bool = False
    add: Added | None = None
    again: int | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> StepScript:
        given = [name for name in ("load", "do", "add", "again") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("one of load, do, add and again")
        return self

    @property
    def microseconds(self) -> int:
        """Since 1970, UTC."""
        return (self.at.replace(tzinfo=dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)

    def tables(self) -> Iterator[str]:
        """The tables that it names."""
        yield from self.load or []
        for statement in self.do or []:
            yield str(next(iter(statement.model_dump().values())))
        if self.add is not None:
            yield self.add.table


class Script(Part):
    """A whole history, of one database."""

    engine: Literal[*ENGINES]  # type: ignore[valid-type]
    database: str = Field(pattern=r"[A-Za-z0-9_]+")
    interval_seconds: float = Field(60, gt=0)
    """CdcMaxBatchInterval."""
    lob_max_kb: int = Field(32, ge=1)
    tables: dict[str, TableScript] = Field(min_length=1)
    history: list[StepScript] = Field(min_length=1)

    @model_validator(mode="after")
    def _holds_together(self) -> Script:
        for before, step in zip([None, *self.history], self.history, strict=False):
            if before is not None and step.at < before.at:
                raise ValueError(f"history: {step.at} comes after {before.at}")
            if strange := [name for name in step.tables() if name not in self.tables]:
                raise ValueError(f"history: {step.at}: {', '.join(strange)} is no table")
        return self


def load_script(path: Path) -> Script:
    """Read a history. Raises SettingsError naming what is wrong and where."""
    try:
        return Script.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise SettingsError(str(path), "", None, f"it is no YAML: {error}") from error
    except ValidationError as error:
        first: Any = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SettingsError(str(path), field, first["input"], first["msg"]) from error
