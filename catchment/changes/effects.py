"""Step 1: what each row does to which key, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from catchment.changes.relations import EFFECTS, ORD, ROWS, SEQUENCE, TOUCHED, both, comma, keys, quote, text

_ROWS_PER_FILE_BITS = 40


def key_changed(key: Sequence[str]) -> str:
    """A condition on a row ``s``: its before-image differs from its key.

    DMS fills the before-images of all key columns when any of them changes, and of none otherwise
    (AWS DMS, before-image columns); a part that is missing is taken to have stayed.
    """
    parts = [f"({old} IS NOT NULL AND {old} IS DISTINCT FROM s.{quote(column)})" for old, column in _olds(key)]
    return "(s.\"~op\" = 'U' AND (" + " OR ".join(parts) + "))"


def token(row: str, floor: str) -> str:
    """The token of a row: load rows have none of their own, they stand at their generation's floor."""
    return f'CASE WHEN {row}."~seq" = \'\' THEN {text(floor)} ELSE {row}."~seq" END' if floor else f'{row}."~seq"'


def expand(key: Sequence[str], source: str = ROWS, *, file: str = 's."~file"', floor: str = "") -> str:
    """SELECT (file, line, part, kind, seq, k0 …): one line per effect of the rows in ``source``, not yet ordered.

    ``file`` is the SQL of the file's number, for a source that holds one file only; ``floor`` is the generation's.
    """
    now = comma(f"s.{quote(column)} AS k{i}" for i, column in enumerate(key))
    before = comma(f"COALESCE({old}, s.{quote(column)}) AS k{i}" for i, (old, column) in enumerate(_olds(key)))
    changed, seq = key_changed(key), token("s", floor)
    return (
        f'SELECT {file} AS file, s."~row" AS line, 1 AS part, '
        f"CASE WHEN {changed} THEN 'K' ELSE s.\"~op\" END AS kind, {seq} AS seq, {now} FROM {source} s "
        f"UNION ALL SELECT {file} AS file, s.\"~row\" AS line, 0 AS part, 'D' AS kind, {seq} AS seq, {before} "
        f"FROM {source} s WHERE {changed}"
    )


def order(key: Sequence[str], fresh_below: int, *, loads_only: bool, floor: str = "") -> str:
    """SELECT the effects with their place in the history as ``ord``.

    Files numbered below ``fresh_below`` are new, the others are read again. Rows of load files share one token, the
    ``floor``, which sorts first; so a batch of load files alone is in order by file and row without sorting.
    """
    if loads_only:
        place = f"CAST(f.place AS BIGINT) * {1 << _ROWS_PER_FILE_BITS} + line * 2 + part"
    else:
        place = "row_number() OVER (ORDER BY seq, f.place, line, part)"
    return (
        f"SELECT {place} AS ord, e.file, line, part, "
        f"e.file < {fresh_below} AS fresh, kind, seq, {comma(keys(len(key)))} "
        f'FROM ({expand(key, floor=floor)}) e JOIN "~files" f ON f.file = e.file'
    )


def repeated(key: Sequence[str]) -> str:
    """SELECT the number of rows that are no inserts or have the key of another row."""
    named = comma(quote(column) for column in key)
    different = f"SELECT count(*) FROM (SELECT DISTINCT {named} FROM {ROWS} WHERE \"~op\" = 'I') d"
    return f"SELECT count(*) - ({different}) AS repeated FROM {ROWS}"


def inserts(columns: Sequence[str], floor: str) -> str:
    """SELECT the rows as upserts, where each of them is an insert of a key of its own."""
    place = f'CAST(r."~file" AS BIGINT) * {1 << _ROWS_PER_FILE_BITS} + r."~row"'
    named = comma(f"r.{quote(column)}" for column in columns)
    return f"SELECT {place} AS {ORD}, {named}, {token('r', floor)} AS {quote(SEQUENCE)} FROM {ROWS} r"


def keep_touched(key_width: int) -> str:
    """SELECT the effects without those of files read again on keys that are not touched.

    A key change that touches one of the keys has an effect on another one too, whose later changes were not read.
    """
    return (
        f"SELECT e.* FROM {EFFECTS} e WHERE e.fresh OR EXISTS "
        f"(SELECT 1 FROM {TOUCHED} t WHERE {both(keys(key_width, 'e'), keys(key_width, 't'))})"
    )


def touched(key: Sequence[str], source: str) -> str:
    """SELECT DISTINCT the keys the rows of ``source`` have an effect on."""
    return f"SELECT DISTINCT {comma(keys(len(key)))} FROM ({expand(key, source, file='0')}) e"


def touching(key: Sequence[str], source: str) -> str:
    """SELECT the row numbers in ``source`` that have an effect on a key in the touched table."""
    count = len(key)
    return (
        f"SELECT DISTINCT e.line FROM ({expand(key, source, file='0')}) e JOIN {TOUCHED} t "
        f"ON {both(keys(count, 'e'), keys(count, 't'))}"
    )


def _olds(key: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"s.{quote(f'~old_{i}')}", column) for i, column in enumerate(key)]
