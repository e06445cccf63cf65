"""The Spark engine: the same steps, the same readers, the same commit; Spark finds and rewrites the files."""
