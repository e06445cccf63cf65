"""The laptop run: source database, local AWS, DMS emulator, workload, report."""
