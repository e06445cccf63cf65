"""The laptop's source: a real PostgreSQL, the sales database with its hard cases, and the workload that changes it."""
