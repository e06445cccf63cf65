"""How a replica's server is reached, from a URL as MySQL's own tools understand it."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from catchment.errors import SettingsError

_MODES = ("DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Login:
    """Where the server is and who asks.

    ``database``: all tables of the replica lie in this database; empty: each in one called as its schema is.
    ``ssl_mode`` is one of DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY, ``ssl_ca`` a file of certificates (PEM; None:
    the system's).
    """

    host: str
    port: int = 3306
    user: str = ""
    password: str = ""
    database: str = ""
    ssl_mode: str = "VERIFY_IDENTITY"
    ssl_ca: str | None = None

    @classmethod
    def parse(cls, url: str) -> Login:
        """``mysql://user:password@host:port/database?ssl-mode=…&ssl-ca=…``; the password may be in MYSQL_PWD instead.

        Without ``ssl-mode`` the server's certificate is verified, but not asked for on the loopback interface. Raises
        SettingsError.
        """
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        host = parts.hostname or ""
        mode = options.pop("ssl-mode", "DISABLED" if host in _LOCAL else "VERIFY_IDENTITY").upper()
        ca = options.pop("ssl-ca", None)
        if not host or not parts.username:
            raise SettingsError("replica", "url", f"{parts.scheme}://{host}", "allowed is mysql://user@host/[database]")
        if mode not in _MODES:
            raise SettingsError("replica", "url.ssl-mode", mode, f"allowed are {', '.join(_MODES)}")
        if options:
            raise SettingsError("replica", "url", next(iter(options)), "allowed are ssl-mode and ssl-ca")
        password = os.environ.get("MYSQL_PWD", "") if parts.password is None else unquote(parts.password)
        name = unquote(parts.path.strip("/"))
        return cls(host, parts.port or 3306, unquote(parts.username), password, name, mode, ca)

    def tls(self) -> ssl.SSLContext | None:
        """How the server proves who it is; None where nothing is asked of it."""
        if self.ssl_mode == "DISABLED":
            return None
        context = ssl.create_default_context(cafile=self.ssl_ca)
        context.check_hostname = self.ssl_mode == "VERIFY_IDENTITY"
        if self.ssl_mode == "REQUIRED":
            context.verify_mode = ssl.CERT_NONE
        return context
