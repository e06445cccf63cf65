"""Applies the landing files of one table on Spark: a Glue job, an EMR Serverless job or a process of this machine.

All arguments are by name; those of the platform (``--JOB_NAME`` …) are let pass. What became of every row, or the
error, is the last line on standard output, as JSON.
"""

from __future__ import annotations

import sys

from catchment.spark.job import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
