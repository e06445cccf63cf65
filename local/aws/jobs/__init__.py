"""Glue jobs, run from their deployed scripts on real Spark."""
