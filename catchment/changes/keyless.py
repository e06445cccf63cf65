"""A table without a key: inserts are appended, each token once; nothing else can be applied exactly."""

from __future__ import annotations

from collections.abc import Sequence

from catchment.changes.relations import ORD, ROWS, SEQUENCE, comma, quote, text

NEW_TOKENS, PRESENT = '"~tokens"', '"~present"'
REFUSED = {
    "U": "an update of a table without a key cannot be applied exactly: which row it means is not known",
    "D": "a delete from a table without a key cannot be applied exactly: which row it means is not known",
}


def refused(source: str) -> str:
    """SELECT (row, operation, record as JSON) of the rows in ``source`` that are no inserts."""
    return f'SELECT "~row", "~op", to_json(t) FROM {source} t WHERE "~op" <> \'I\' ORDER BY "~row"'


def tokens() -> str:
    """SELECT the tokens of the batch that the table might carry already."""
    return f'SELECT DISTINCT "~seq" AS token FROM {ROWS} WHERE "~seq" <> \'\''


def appends(columns: Sequence[str], floor: str = "") -> str:
    """SELECT the upserts: every load row, and of each token the first row, unless the table has the token.

    ``floor`` is the generation's, the token of load rows.
    """
    named = comma(f"r.{quote(name)}" for name in columns)
    written = f"CASE WHEN {quote(SEQUENCE)} = '' THEN {text(floor)} ELSE {quote(SEQUENCE)} END AS {quote(SEQUENCE)}"
    return (
        f"SELECT {ORD}, {comma(quote(name) for name in columns)}, "
        f'{written} FROM (SELECT row_number() OVER (ORDER BY f.place, "~row") AS {ORD}, {named}, '
        f'"~seq" AS {quote(SEQUENCE)}, '
        f'row_number() OVER (PARTITION BY "~seq" ORDER BY f.place, "~row") AS "~copy" '
        f'FROM {ROWS} r JOIN "~files" f ON f.file = r."~file") r '
        f"WHERE {quote(SEQUENCE)} = '' OR (\"~copy\" = 1 AND NOT EXISTS "
        f"(SELECT 1 FROM {PRESENT} p WHERE p.token = r.{quote(SEQUENCE)}))"
    )
