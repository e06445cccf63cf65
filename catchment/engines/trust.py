"""Who logs in to a source, and whose certificates are taken.

The root certificates of RDS lie beside this module (from https://truststore.pki.rds.amazonaws.com); those of the
runtime count as well, for sources elsewhere.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RDS_CERTIFICATES = Path(__file__).with_name("rds-ca.pem")
CONNECT_SECONDS = 10
STATEMENT_SECONDS = 30

Login = Mapping[str, Any]
"""A secret as DMS reads it: host, port, username, password."""


@dataclass(frozen=True)
class Trust:
    """Whose certificates are taken: anybody's, or those of RDS, of the runtime's authorities and of ``certificate``."""

    verified: bool = True
    certificate: Path | None = None
    """A PEM file."""

    def context(self) -> ssl.SSLContext:
        """For a TLS connection."""
        context = ssl.create_default_context()
        context.load_verify_locations(RDS_CERTIFICATES)
        if self.certificate is not None:
            context.load_verify_locations(self.certificate)
        if not self.verified:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
