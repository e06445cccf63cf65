"""Protections of tables and their files: key ranges, types, deletion vectors, maintenance."""

from __future__ import annotations

from tests.mutants.mutant import LOG, MAINTENANCE, MASKED, MASKING, ODDITIES, Mutant

_DELTA, _RANGES = "catchment/sinks/delta.py", "catchment/sinks/key_ranges.py"
_CLEANING = "catchment/maintenance/cleaning.py"

TABLES = (
    Mutant(
        "A wider type rewrites the table in one commit",
        "files of the narrower type stay as they are",
        _DELTA,
        "everything=widened",
        "everything=False",
        (f"{ODDITIES}::test_a_wider_type_widens_files_that_the_batch_does_not_touch",),
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
        "A later deletion vector masks what the earlier one did",
        "it masks its own rows only",
        "catchment/sinks/merge_on_read.py",
        "BitMap64(positions) | masks.positions(by_number[number])",
        "BitMap64(positions)",
        (f"{MASKING}::test_vectors_of_later_batches_mask_what_earlier_ones_did_too",),
    ),
    Mutant(
        "Masked rows are left out wherever rows are read",
        "they are read like others",
        "catchment/sinks/masks.py",
        'return f"NOT EXISTS (SELECT 1 FROM {self.relation} m WHERE m.part = {number} AND m.pos = {position})"',
        'return "TRUE"',
        (MASKED,),
    ),
    Mutant(
        "A file with many masked rows is written again",
        "it is masked until nothing is left",
        "catchment/sinks/merge_on_read.py",
        "masked <= policy.share * part.records:",
        "masked <= part.records:",
        (f"{MASKING}::test_a_file_is_written_again_when_too_much_of_it_is_masked",),
    ),
    Mutant(
        "A damaged deletion vector is never taken for other rows",
        "its checksum is not looked at",
        "catchment/sinks/deletion_vectors.py",
        'if checksum != struct.pack(">I", zlib.crc32(body)):',
        "if not checksum:",
        ("tests/core/sinks/test_deletion_vectors.py",),
    ),
    Mutant(
        "A table with a feature that is not known here is refused",
        "unknown features are passed over",
        "catchment/sinks/delta_protocol.py",
        "(readers - _READS) | (writers - _READS - _ALSO_WRITES)",
        "set[str]()",
        (f"{LOG}::test_what_is_not_known_or_not_done_here_is_refused_by_name",),
    ),
    Mutant(
        "Maintenance believes no file that has other rows than the log says",
        "nobody counts them",
        "catchment/maintenance/rewriting.py",
        "if rows != expected and",
        "if rows < 0 and",
        (f"{MAINTENANCE}::test_files_with_fewer_rows_than_the_log_says_are_never_removed",),
    ),
    Mutant(
        "Maintenance leaves masked rows out of what it writes",
        "their positions are overlooked",
        "catchment/sinks/delta_write.py",
        '        if self.spared != "TRUE":',
        "        if not self.spared:",
        (f"{MAINTENANCE}::test_masked_rows_are_purged_where_they_are_many", MASKED),
    ),
    Mutant(
        "Files go when no version of the horizon needs them, not before",
        "they go at once",
        _CLEANING,
        "        and _is_before(stored, before)\n",
        "",
        (f"{MAINTENANCE}::test_removed_files_and_a_killed_writers_go_behind_the_horizon",),
    ),
    Mutant(
        "Deletion vectors in force are never cleaned up",
        "only data files count as needed",
        _CLEANING,
        "            yield file\n",
        "            continue\n",
        (f"{MAINTENANCE}::test_vectors_in_force_stay_however_old",),
    ),
    Mutant(
        "The log is cleaned up only as far as the ledger's digest reaches",
        "its age alone counts",
        _CLEANING,
        "newest = min(max(aged, default=-1), digest)",
        "newest = max(aged, default=-1)",
        (f"{MAINTENANCE}::test_the_log_stays_where_no_digest_covers_it",),
    ),
)
