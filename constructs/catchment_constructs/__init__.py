"""CDK constructs for change data capture with AWS DMS into a Delta lake, one construct a file."""
