"""``catchment validate``: rows on both sides, the first of them side by side, and whether every value is the same."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from catchment.cli.show import new_console
from catchment.cli.validate_sides import Source, Target
from catchment.landing.contract import TableContract
from catchment.landing.duck import open_duckdb
from catchment.reconcile.source import one_moment
from catchment.reconcile.validation import Pair, TableCheck, check_table
from catchment.reconcile.verdict import Difference, Finding

_MEMORY_MB, _THREADS = 2048, 2
_WIDEST = 40
"""Characters of a value that are shown in a table; JSON has all of them."""


def validate(source: Source, target: Target, contracts: Sequence[TableContract], *, rows: int, form: str) -> int:
    """Compare each table and print what was found; 1 where something differs, else 0. Raises SourceUnreachable."""
    checks = []
    with (
        tempfile.TemporaryDirectory(prefix="catchment-") as folder,
        one_moment(source.engine, source.login, source.database, source.trust) as side,
    ):
        for place, contract in enumerate(contracts):
            scratch = Path(folder, str(place))
            scratch.mkdir()
            con = open_duckdb(scratch, _MEMORY_MB, _THREADS)
            try:
                checks.append(
                    check_table(
                        con,
                        side,
                        target(contract.name, scratch),
                        schema=contract.name.schema,
                        table=contract.name.table,
                        key=contract.key,
                        scratch=scratch,
                        rows=rows,
                    )
                )
            finally:
                con.close()
    _FORMS[form](checks)
    return 0 if all(check.equal for check in checks) else 1


_COLUMNS = ("table", "source", "target", "missing", "extra", "different", "verdict")


def _line(check: TableCheck) -> tuple[str, ...]:
    found = check.verdict
    if found is None:
        return (check.table, "", "", "", "", "", check.problem or "")
    counts = (found.rows_source, found.rows_lake, found.missing, found.extra, found.different)
    return (check.table, *(f"{count:,}" for count in counts), "equal" if found.equal else "NOT EQUAL")


def _sampled(rows: Sequence[Pair]) -> Iterator[tuple[str, tuple[str | None, ...]]]:
    """Which side a row is of, and its values; a row that both sides have alike comes once."""
    for row in rows:
        if row.source == row.target and row.source is not None:
            yield "both", row.source
            continue
        if row.source is not None:
            yield "source", row.source
        if row.target is not None:
            yield "target", row.target


def _as_text(checks: Sequence[TableCheck]) -> None:
    console = new_console()
    counts = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in _COLUMNS:
        counts.add_column(name, justify="left" if name in ("table", "verdict") else "right", overflow="fold")
    for check in checks:
        counts.add_row(*map(Text, _line(check)), style="" if check.equal else "red")
    console.print(counts)
    for check in checks:
        _show_rows(check)
        for difference in check.verdict.differences if check.verdict is not None else ():
            console.print(Text(f"  {_worded(difference)}"))
    same = sum(check.equal for check in checks)
    console.print(f"{same} of {len(checks)} tables are equal, value by value.", highlight=False)


def _show_rows(check: TableCheck) -> None:
    if not check.rows:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=Text(check.table), title_justify="left")
    for name in ("", *check.columns):
        table.add_column(Text(name), overflow="fold")
    for side, values in _sampled(check.rows):
        cells = [Text(_cut(value), style="dim" if value is None else "") for value in values]
        table.add_row(side, *cells, style="" if side == "both" else "yellow")
    new_console().print(table)


def _worded(found: Difference) -> str:
    key = ", ".join(f"{name}={value}" for name, value in found.key.items())
    if found.finding is Finding.DIFFERENT:
        return f"{key}: {found.column} is {found.source} in the source, {found.lake} in the target"
    return f"{key}: {'missing in' if found.finding is Finding.MISSING else 'only in'} the target"


def _cut(value: str | None) -> str:
    if value is None:
        return "NULL"
    return value if len(value) <= _WIDEST else value[: _WIDEST - 1] + "…"


def _as_markdown(checks: Sequence[TableCheck]) -> None:
    lines = _markdown_table(_COLUMNS, [_line(check) for check in checks])
    for check in checks:
        if check.rows:
            rows = [(side, *map(_cut, row)) for side, row in _sampled(check.rows)]
            lines += ["", f"**{check.table}**", "", *_markdown_table(("", *check.columns), rows)]
        found = check.verdict.differences if check.verdict is not None else ()
        lines += ["", *(f"- {_cell(_worded(difference))}" for difference in found)] if found else []
    print("\n".join(lines))


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(map(_cell, row))} |" for row in (columns, ["---"] * len(columns), *rows)]


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\r", " ").replace("\n", " ").replace("<", "&lt;")


def _as_json(checks: Sequence[TableCheck]) -> None:
    json.dump([_record(check) for check in checks], sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _record(check: TableCheck) -> dict[str, Any]:
    found = check.verdict
    first = [
        {side: dict(zip(check.columns, row, strict=True)) if row else None for side, row in asdict(pair).items()}
        for pair in check.rows
    ]
    said: dict[str, Any] = {"table": check.table, "equal": check.equal, "problem": check.problem}
    if found is not None:
        said |= {
            "rows_source": found.rows_source,
            "rows_target": found.rows_lake,
            "missing": found.missing,
            "extra": found.extra,
            "different": found.different,
            "differences": [_difference(each) for each in found.differences],
            "narrowed": [asdict(each) for each in found.narrowed],
            "only_source": found.only_source,
            "only_target": found.only_lake,
        }
    return {**said, "first_rows": first}


def _difference(found: Difference) -> dict[str, Any]:
    values = {"column": found.column, "source": found.source, "target": found.lake}
    return {"finding": found.finding.value, "key": found.key, **(values if found.column is not None else {})}


_FORMS: dict[str, Callable[[Sequence[TableCheck]], None]] = {
    "text": _as_text,
    "markdown": _as_markdown,
    "json": _as_json,
}
