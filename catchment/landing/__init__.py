"""What DMS leaves in the landing zone: file names, the contract of each table, the reader of Parquet and CSV."""
