"""The query that turns a file's records into rows of the table, and says of each record what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from catchment.landing.casts import TEXT, cast
from catchment.landing.contract import TableContract
from catchment.landing.names import Kind, LandingFile
from catchment.landing.shape import Field, FileShape
from catchment.landing.sql import identifier, text
from catchment.landing.types import STRING, DeltaType

SEQUENCE_DIGITS = 35
_ROW_DIGITS = 17
_WALL = DeltaType("timestamp_ntz")
_EMPTY_IS_A_VALUE = ("string", "binary")


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong with a record: ``condition`` is SQL over the inner query's columns."""

    condition: str
    field: str | None
    reason: str


def delivery(
    source: str, file: LandingFile, contract: TableContract, shape: FileShape, target: dict[str, DeltaType]
) -> tuple[str, list[Check]]:
    """SQL for all records of ``source``, and the checks that the numbers in its column ``~bad`` stand for.

    ``source`` is a table expression with the shape's physical columns and ``~row``. A record's first failed check
    counts. A delete may carry the key alone (DMS on PostgreSQL): its other columns are never the reason.
    """
    query = _Query(file, contract, shape, target)
    query.add_order()
    query.add_columns()
    query.add_before_images()
    return query.sql(source), query.checks


class _Query:
    """Two levels: the inner one casts each value once, the outer one judges the results."""

    def __init__(
        self, file: LandingFile, contract: TableContract, shape: FileShape, target: dict[str, DeltaType]
    ) -> None:
        self._file, self._contract, self._shape, self._target = file, contract, shape, target
        self._inner = ['"~row"']
        self._outer: list[str] = []
        self.checks: list[Check] = []

    def sql(self, source: str) -> str:
        cases = " ".join(f"WHEN {check.condition} THEN {i}" for i, check in enumerate(self.checks))
        bad = f"CAST(CASE {cases} END AS INTEGER)" if cases else "CAST(NULL AS INTEGER)"
        return f'SELECT {", ".join(self._outer)}, {bad} AS "~bad" FROM (SELECT {", ".join(self._inner)} FROM {source})'

    def add_order(self) -> None:
        self._add_operation()
        self._add_sequence()
        self._outer.append('"~row"')
        self._add_commit()

    def _add_operation(self) -> None:
        found, load = self._shape.roles.operation, self._file.kind is Kind.LOAD
        written = _as_text(found) if found else text("I")
        self._inner.append(f"{written} AS op")
        self._outer.append('op AS "~op"')
        if found and load:
            self.checks.append(Check("op IS DISTINCT FROM 'I'", found.name, "a load file's operation can be I only"))
        elif found:
            known = "coalesce(op IN ('I', 'U', 'D'), false)"
            self.checks.append(Check(f"NOT {known}", found.name, "the operation is not I, U or D"))

    def _add_sequence(self) -> None:
        """Both kinds of token have one width and begin with a time, so that they compare as text."""
        if self._file.kind is Kind.LOAD:
            self._outer.append("'' AS \"~seq\"")
            return
        by_place = f"{text(self._file.stamp)} || lpad(CAST(\"~row\" AS VARCHAR), {_ROW_DIGITS}, '0')"
        found = self._shape.roles.sequence
        if found is None:
            self._outer.append(f'{by_place} AS "~seq"')
            return
        self._inner.append(f"nullif({_digits(found)}, '') AS seq")
        self._outer.append(f'coalesce(seq, {by_place}) AS "~seq"')
        wrong = f"NOT regexp_full_match(seq, '[0-9]{{{SEQUENCE_DIGITS}}}')"
        self.checks.append(Check(wrong, found.name, f"the sequence is not {SEQUENCE_DIGITS} digits"))

    def _add_commit(self) -> None:
        found = self._shape.roles.commit
        if found is None:
            self._outer.append('CAST(NULL AS TIMESTAMP) AS "~commit"')
            return
        value = identifier(found.physical)
        written = f"nullif({value}, '')" if found.type == TEXT else value
        self._inner += [f"{written} AS said_commit", f"{cast(written, found.type, _WALL)} AS commit"]
        self._outer.append('commit AS "~commit"')
        lost = "said_commit IS NOT NULL AND commit IS NULL"
        self.checks.append(Check(lost, found.name, "the value is not a timestamp"))

    def add_columns(self) -> None:
        said = {name.casefold(): found for name, found in self._shape.roles.columns.items()}
        key = {part.casefold() for part in self._contract.key}
        for i, (name, kind) in enumerate(self._target.items()):
            found = said.get(name.casefold())
            if found is None:
                self._outer.append(f"CAST(NULL AS {kind.duckdb}) AS {identifier(name)}")
                continue
            value = identifier(found.physical)
            self._inner += [f"{value} AS r{i}", f"{cast(value, found.type, kind)} AS t{i}"]
            self._outer.append(f"t{i} AS {identifier(name)}")
            self._check_column(i, name, kind, in_key=name.casefold() in key, same=found.type == kind.duckdb)
            if name in self._contract.partition_by:
                self._check_partition(i, name, kind)

    def _check_column(self, i: int, name: str, kind: DeltaType, *, in_key: bool, same: bool) -> None:
        reason = f"the value does not fit {kind}"
        if in_key:
            self.checks.append(Check(f"r{i} IS NULL", name, "a part of the key is NULL"))
            self.checks.append(Check(f"t{i} IS NULL", name, reason))
        elif not same:
            self.checks.append(Check(f"op <> 'D' AND r{i} IS NOT NULL AND t{i} IS NULL", name, reason))

    def _check_partition(self, i: int, name: str, kind: DeltaType) -> None:
        """Delta reads an empty text as NULL where it names a partition, and has years of four digits."""
        if kind.name == "string":
            reason = "an empty text cannot be told from NULL in a column that the table is partitioned by"
            self.checks.append(Check(f"op <> 'D' AND t{i} = ''", name, reason))
        elif kind.name == "date":
            reason = "the table is partitioned by this column, so its years are 1 to 9999"
            self.checks.append(Check(f"op <> 'D' AND year(t{i}) NOT BETWEEN 1 AND 9999", name, reason))

    def add_before_images(self) -> None:
        kinds = {name.casefold(): kind for name, kind in self._target.items()}
        for j, part in enumerate(self._contract.key):
            kind = kinds.get(part.casefold(), STRING)
            if not self._shape.roles.before:
                self._outer.append(f'CAST(NULL AS {kind.duckdb}) AS "~old_{j}"')
                continue
            found = self._shape.roles.before[j]
            value = self._before_image(found, kind)
            self._inner += [f"{value} AS b{j}", f"{cast(value, found.type, kind)} AS a{j}"]
            self._outer.append(f'a{j} AS "~old_{j}"')
            lost = f"b{j} IS NOT NULL AND a{j} IS NULL"
            self.checks.append(Check(lost, found.name, f"the value does not fit {kind}"))

    def _before_image(self, found: Field, kind: DeltaType) -> str:
        """An empty text is no before-image, unless it can be a key's value and something says that there is one.

        That is the NULL of the other records, or another part of the key: DMS fills all parts or none.
        """
        value = identifier(found.physical)
        if found.type != TEXT:
            return value
        landing = self._contract.landing
        tells_null = landing.format == "parquet" or landing.null_value == ""
        if kind.name not in _EMPTY_IS_A_VALUE:
            return f"nullif({value}, '')"
        if tells_null:
            return value
        parts = [identifier(part.physical) for part in self._shape.roles.before]
        filled = " OR ".join(f"CAST({part} AS VARCHAR) <> ''" for part in parts)
        return f"CASE WHEN {filled} THEN {value} END"


def empty(key: tuple[str, ...], target: dict[str, DeltaType]) -> str:
    """SQL for a relation of the right columns without rows."""
    kinds = {name.casefold(): kind for name, kind in target.items()}
    columns = [('"~op"', "VARCHAR"), ('"~seq"', "VARCHAR"), ('"~row"', "BIGINT"), ('"~commit"', "TIMESTAMP")]
    columns += [(identifier(name), kind.duckdb) for name, kind in target.items()]
    columns += [(f'"~old_{j}"', kinds.get(part.casefold(), STRING).duckdb) for j, part in enumerate(key)]
    return f"SELECT {', '.join(f'CAST(NULL AS {kind}) AS {name}' for name, kind in columns)} WHERE false"


def _as_text(found: Field) -> str:
    return cast(identifier(found.physical), found.type, STRING)


def _digits(found: Field) -> str:
    """A sequence kept in a number lost its leading zeros."""
    if found.type in (TEXT, "BLOB"):
        return _as_text(found)
    return f"lpad({_as_text(found)}, {SEQUENCE_DIGITS}, '0')"
