"""The Spark engine's environment on this machine: Spark and Delta as Glue ships them, and the jars they need."""
