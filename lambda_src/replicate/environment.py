"""What the replicate function is told by its environment, read once."""

from __future__ import annotations

from lambda_src.feeding import Feeding


class Environment(Feeding):
    """The function's environment variables, by their names in small letters."""

    replica_scheme: str
    """The beginning of the database's URL."""
    replica_secret: str
    """The ARN of the secret with ``host``, ``port``, ``username`` and ``password``."""
    replica_database: str
    replica_certificates: str
    """A file of the code with the certificates (PEM) that the database's has to be signed by."""
