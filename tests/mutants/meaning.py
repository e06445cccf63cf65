"""Protections of what changes mean, from a landing file's rows to a batch's effects."""

from __future__ import annotations

from tests.mutants.mutant import ODDITIES, Mutant

_EFFECTS, _NET, _GUARD = "catchment/changes/effects.py", "catchment/changes/net.py", "catchment/changes/guard.py"
_LATE, _BATCH, _FILL = "catchment/apply/late.py", "catchment/apply/batch.py", "catchment/changes/fill.py"
_DELIVERY, _CSV = "catchment/landing/delivery.py", "catchment/landing/csv_stage.py"

MEANING = (
    Mutant(
        "A key change is a delete and an upsert",
        "the delete of the old key is left out",
        _EFFECTS,
        'f"FROM {source} s WHERE {changed}"',
        'f"FROM {source} s WHERE FALSE"',
    ),
    Mutant(
        "An update that keeps its key deletes nothing",
        "every before-image counts as a key change",
        _EFFECTS,
        "({old} IS NOT NULL AND {old} IS DISTINCT FROM s.{quote(column)})",
        "({old} IS NOT NULL)",
        ("tests/core/changes",),
    ),
    Mutant(
        "Order is the change sequence, not the file",
        "changes are put in order by file and row",
        _EFFECTS,
        "ORDER BY seq, f.place, line, part",
        "ORDER BY f.place, line, part",
    ),
    Mutant("The last change of a key wins", "the first wins", _NET, "SELECT max(ord)", "SELECT min(ord)"),
    Mutant(
        "An older change never wins over the table",
        "the guard lets every change through",
        _GUARD,
        "ELSE 'newer' END AS verdict",
        "ELSE 'older' END AS verdict",
        (f"{ODDITIES}::test_a_guarded_change_is_stale",),
    ),
    Mutant(
        "A change delivered again rewrites nothing",
        "equal rows count as changes",
        _GUARD,
        "NOT EXISTS (SELECT 1 FROM {UNCHANGED} n WHERE n.ord = {table}.ord)",
        "TRUE",
        (f"{ODDITIES}::test_a_redelivered_file_changes_no_file_of_the_table",),
    ),
    Mutant(
        "Late files are recognised",
        "no file is ever late",
        _LATE,
        "staged for staged in fresh if end and (start",
        "staged for staged in fresh if False and end and (start",
    ),
    Mutant(
        "A late file is replayed with what landed after it",
        "nothing is read again",
        _LATE,
        "and (starts is None or starts.is_before(end))\n    ]",
        "and starts is None\n    ]",
    ),
    Mutant(
        "A replay counts for the touched keys only",
        "effects on other keys count too",
        _BATCH,
        "    if members.again:\n",
        "    if members.again and not width:\n",
    ),
    Mutant(
        "Where values may be carried over, a replay sees the whole history",
        "it sees what lies behind the late file only",
        _LATE,
        "    if partial:\n        # A value",
        "    if not target:\n        # A value",
        (f"{ODDITIES}::test_a_late_key_change_carries_a_value_that_only_the_load_said",),
    ),
    Mutant(
        "Where values may be carried over, a replay follows rows to their other keys",
        "rows of the late keys only are read again",
        _LATE,
        "                if partial:\n                    _spread",
        "                if not target:\n                    _spread",
        (f"{ODDITIES}::test_a_late_value_follows_its_row_over_a_key_change",),
    ),
    Mutant(
        "A column that a file does not speak of keeps its value",
        "it becomes NULL",
        _BATCH,
        "    return {name: _fill(session, name, i, width, files) for i, (name, files) in enumerate(gaps.items())}",
        "    return {}",
    ),
    Mutant(
        "A kept value follows its row over a key change",
        "it is looked for under the new key only",
        _FILL,
        'f"CASE WHEN {arrived} THEN d.before ELSE t.src END AS src, "',
        '"CAST(NULL AS BIGINT) AS src, "',
        (f"{ODDITIES}::test_a_late_value_follows_its_row_over_a_key_change",),
    ),
    Mutant(
        "A row without its key is quarantined",
        "a NULL in the key is let through",
        _DELIVERY,
        "        if in_key:\n",
        "        if in_key and i < 0:\n",
    ),
    Mutant(
        "An operation is I, U or D",
        "any operation is let through",
        _DELIVERY,
        "coalesce(op IN ('I', 'U', 'D'), false)",
        "true",
    ),
    Mutant(
        "In CSV an empty text and NULL differ",
        "quoted emptiness is NULL as well",
        _CSV,
        "allow_quoted_nulls = false",
        "allow_quoted_nulls = true",
        ("tests/core/landing/test_landing_csv.py",),
    ),
    Mutant(
        "An insert into a table without a key counts once",
        "an insert delivered again is appended again",
        "catchment/changes/keyless.py",
        "WHERE p.token = r.{quote(SEQUENCE)}))",
        "WHERE FALSE))",
        (f"{ODDITIES}::test_without_a_key_inserts_stay_exact_and_the_rest_is_said",),
    ),
    Mutant(
        "Before-images of a composite key may name one part",
        "parts that are missing count as changed",
        _EFFECTS,
        "COALESCE({old}, s.{quote(column)}) AS k{i}",
        "{old} AS k{i}",
        ("tests/core/changes",),
    ),
)
