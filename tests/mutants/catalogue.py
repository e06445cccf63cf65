"""The protections, and how each is switched off. A mutant's ``old`` text must stand in its file exactly once."""

from __future__ import annotations

from dataclasses import dataclass

MODEL = "tests/conformance/test_table_equals_model.py::test_table_equals_model_after_every_delivery[copy-on-write]"
MASKED = MODEL.replace("copy-on-write", "deletion vectors")
FAULTS = "tests/conformance/test_faults.py::test_every_failing_call_is_made_good_by_the_next_run"
OTHERS = "tests/conformance/test_others_at_work.py"
WRITERS = "tests/core/apply/test_applier_and_other_writers.py"
GENERATIONS = "tests/core/apply/test_load_generations.py"
ODDITIES = "tests/core/apply/test_applier_schemas_and_oddities.py"


@dataclass(frozen=True)
class Mutant:
    """``protection`` is what it is for; ``off`` says how it is switched off, as ``old`` becomes ``new`` in ``file``."""

    protection: str
    off: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = (MODEL,)


_EFFECTS, _NET, _GUARD = "catchment/changes/effects.py", "catchment/changes/net.py", "catchment/changes/guard.py"
_LATE, _BATCH, _APPLIER = "catchment/apply/late.py", "catchment/apply/batch.py", "catchment/apply/applier.py"
_PENDING, _FILL = "catchment/apply/pending.py", "catchment/changes/fill.py"
_DELTA, _RANGES = "catchment/sinks/delta.py", "catchment/sinks/key_ranges.py"
_LOG, _DIGEST = "catchment/sinks/delta_table.py", "catchment/sinks/ledger_digest.py"
_LEDGER, _LOCAL = "catchment/sinks/ledger.py", "catchment/storage/local.py"
_DELIVERY, _CSV = "catchment/landing/delivery.py", "catchment/landing/csv_stage.py"

MUTANTS = (
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
        "Equal tokens in two files are one change",
        "a file that starts at the table's last token is not late",
        _LEDGER,
        "return self.token <= end.token if self.token else self <= end",
        "return self.token < end.token if self.token else self <= end",
        (f"{ODDITIES}::test_a_key_change_sent_again_keeps_the_value_it_carried",),
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
        ("tests/core/changes", ODDITIES),
    ),
    Mutant(
        "A wider type rewrites the table in one commit",
        "files of the narrower type stay as they are",
        _DELTA,
        "everything=widened",
        "everything=False",
        (f"{ODDITIES}::test_a_wider_type_widens_files_that_the_batch_does_not_touch",),
    ),
    Mutant(
        "The watermark is in the commit of the data",
        "commits carry no watermark",
        _DELTA,
        "applied(batch.watermark), ",
        "",
    ),
    Mutant(
        "The watermark never goes back",
        "each commit says its own files' watermark",
        _APPLIER,
        "max(state.ledger.watermark, watermark(files))",
        "watermark(files)",
    ),
    Mutant(
        "A file is known by its content",
        "a touched file is a new one",
        _PENDING,
        "return landing.etag(found) == known.etag",
        "return False",
        (f"{ODDITIES}::test_a_copied_and_touched_landing_folder_is_not_new",),
    ),
    Mutant(
        "A load file with other content is a reload",
        "it counts as known",
        _PENDING,
        "    if found.size != known.size:\n        return False",
        "    if found.size != known.size:\n        return True",
        (f"{ODDITIES}::test_a_load_file_written_again_is_a_reload_and_touches_nothing",),
    ),
    Mutant(
        "A commit takes its version only if nobody has it",
        "the log file is written over what is there",
        _LOCAL,
        "os.link(staged, target)",
        "shutil.copyfile(staged, target)",
        (OTHERS, "tests/core/storage/test_local_store.py"),
    ),
    Mutant(
        "A lost race is worked out again",
        "the same actions are put on top of the other commit",
        _LOG,
        "            raise LostRace(str(error)) from error",
        "            stored = self._store.create_bytes(commit_path(self._path, version + 1), data)",
        (OTHERS,),
    ),
    Mutant(
        "Right before the commit the lease is still ours",
        "the lease is not asked",
        _DELTA,
        "        before_commit()\n        removes +=",
        "        removes +=",
        (OTHERS,),
    ),
    Mutant(
        "A poked holder looks once more",
        "it gives the lease back at once",
        _APPLIER,
        "held.release(force=not run.account.done)",
        "held.release(force=True)",
        (OTHERS,),
    ),
    Mutant(
        "Rows of a foreign writer are refused",
        "commits of others are taken as they are",
        _LOG,
        "        elif entry.changes_data:",
        "        elif entry.changes_data and entry.version < 0:",
        (OTHERS,),
    ),
    Mutant(
        "Rejected records are kept before the commit counts them",
        "they are not kept",
        _APPLIER,
        "        self._quarantine(fresh)\n\n        def check() -> None:\n            self.held.check()\n",
        "        def check() -> None:\n            self.held.check()\n",
        (FAULTS,),
    ),
    Mutant(
        "The account of every commit adds up",
        "nobody checks it",
        "catchment/apply/account.py",
        "if self.read != parts:",
        "if self.read < 0:",
        ("tests/core/apply/test_account.py",),
    ),
    Mutant(
        "Only files that may hold a key are looked into, and all of those",
        "the lowest key of a file is overlooked",
        _RANGES,
        'f"CAST({value} AS {kind.duckdb})" if type(value) is int',
        'f"CAST({value + (not up)} AS {kind.duckdb})" if type(value) is int',
    ),
    Mutant(
        "Text statistics say no more than their first 32 characters",
        "they are compared whole",
        _RANGES,
        "return text(value[:PREFIX])",
        "return text(value)",
        ("tests/core/sinks/test_delta_files.py",),
    ),
    Mutant(
        "Time statistics are cut to milliseconds",
        "a key right behind the last one is overlooked",
        _RANGES,
        " + INTERVAL 2 MILLISECONDS",
        "",
        ("tests/core/sinks/test_delta_files.py",),
    ),
    Mutant(
        "Decimal statistics are believed as far as a double holds them",
        "they are taken as they stand",
        _RANGES,
        "add(exact, slack if up else -slack)",
        "plus(exact)",
        ("tests/core/sinks/test_delta_files.py",),
    ),
    Mutant(
        "A digest is believed only if it is this table's",
        "any digest is",
        _DIGEST,
        'if data["table"] == table_id:',
        'if data["table"]:',
        (WRITERS,),
    ),
    Mutant(
        "A log without its beginning is said to be lost",
        "missing commits are skipped",
        _LOG,
        "            raise LedgerLost(self._table, version) from None",
        "            return LogEntry(version, 0, '', None, False)",
        (WRITERS,),
    ),
    Mutant(
        "A row without its key is quarantined",
        "a NULL in the key is let through",
        _DELIVERY,
        'self.checks.append(Check(f"r{i} IS NULL", name, "a part of the key is NULL"))',
        "pass",
        ("tests/core/landing", MODEL),
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
        ("tests/core/landing", MODEL),
    ),
    Mutant(
        "An insert into a table without a key counts once",
        "an insert delivered again is appended again",
        "catchment/changes/keyless.py",
        "NOT IN (SELECT token FROM {PRESENT})",
        "<> '-'",
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
    Mutant(
        "Rows of a new load stand at its floor",
        "they stand before everything",
        _EFFECTS,
        'row}."~seq" END\' if floor else',
        'row}."~seq" END\' if not row else',
        (GENERATIONS,),
    ),
    Mutant(
        "Changes below the floor are stale",
        "they count like any other",
        _APPLIER,
        "        settle(self.engine.session, staged, state.ledger.generation.floor)\n",
        "",
        (GENERATIONS,),
    ),
    Mutant(
        "Rows that a new load lacks are deleted",
        "they stay",
        "catchment/apply/swap.py",
        "    session.create(WINNERS, swap.with_deletions(width, floor))\n",
        "",
        (GENERATIONS,),
    ),
    Mutant(
        "A new load is swapped in with all of its rows, or not yet",
        "nobody counts them",
        _APPLIER,
        "if load.rows is not None and load.rows != found:",
        "if load.rows is not None and found < 0:",
        (GENERATIONS,),
    ),
    Mutant(
        "A later deletion vector masks what the earlier one did",
        "it masks its own rows only",
        "catchment/sinks/merge_on_read.py",
        "BitMap64(positions) | masks.positions(by_number[number])",
        "BitMap64(positions)",
        (MASKED,),
    ),
    Mutant(
        "Masked rows are left out wherever rows are read",
        "they are read like others",
        "catchment/sinks/masks.py",
        'return f"NOT EXISTS (SELECT 1 FROM {self.relation} m WHERE m.part = {number} AND m.pos = {position})"',
        'return "TRUE"',
        (MASKED,),
    ),
)
