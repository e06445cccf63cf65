"""What a mutant is, and the tests that several of them are given to."""

from __future__ import annotations

from dataclasses import dataclass

MODEL = "tests/conformance/test_table_equals_model.py::test_table_equals_model_after_every_delivery[copy-on-write]"
MASKED = MODEL.replace("copy-on-write", "deletion vectors")
FAULTS = "tests/conformance/test_faults.py::test_every_failing_call_is_made_good_by_the_next_run"
OTHERS = "tests/conformance/test_others_at_work.py"
WRITERS = "tests/core/apply/test_applier_and_other_writers.py"
GENERATIONS = "tests/core/apply/test_load_generations.py"
RELOADS = "tests/conformance/test_reloads_equal_model.py"
ODDITIES = "tests/core/apply/test_applier_schemas_and_oddities.py"
MASKING = "tests/core/apply/test_applier_masks_rows.py"
MAINTENANCE = "tests/core/maintenance/test_maintain_table.py"
HAND_OVER = "tests/core/leases/test_hand_over.py"
PARTITIONS = "tests/core/apply/test_partitions.py"
TOUCHED = "tests/core/apply/test_files_touched.py"
LOG = "tests/core/sinks/test_delta_log.py"


@dataclass(frozen=True)
class Mutant:
    """``protection`` is what it is for; ``off`` says how it is switched off, as ``old`` becomes ``new`` in ``file``."""

    protection: str
    off: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = (MODEL,)
