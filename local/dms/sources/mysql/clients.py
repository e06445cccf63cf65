"""How clients of MySQL are told where a database is."""

from __future__ import annotations

from catchment.engines.client_text import Address, command, pairs, python, url

scheme = "mysql"

TRUST_STORE = "trust.jks"
"""What Java trusts: the RDS User Guide has a script that makes one of the certificates."""


def shell(address: Address, *tls: str) -> str:
    """The command of the client, with its options for TLS; without a password it asks for one."""
    return command(
        "mysql",
        f"--host={address.host}",
        f"--port={address.port}",
        f"--user={address.user}",
        *([] if address.password is not None else ["--password"]),
        *tls,
        # named so, it may begin with a dash
        f"--database={address.database}",
        password_as="MYSQL_PWD",  # noqa: S106 - its name
        password=address.password,
    )


def mysql_python(address: Address) -> str:
    """The same driver speaks to MySQL and MariaDB."""
    said = {"host": address.host, "port": address.port, "database": address.database, "user": address.user}
    tls: dict[str, object] = {"ssl_disabled": True}
    if address.certificate is not None:
        tls = {"ssl_ca": address.certificate, "ssl_verify_cert": True, "ssl_verify_identity": True}
    elif address.encrypted:
        tls = {"ssl": {"check_hostname": False}}
    return python("pymysql", address, {**said, **tls})


def _mode(address: Address) -> str:
    if not address.encrypted:
        return "DISABLED"
    return "VERIFY_IDENTITY" if address.certificate is not None else "REQUIRED"


def _mysql(address: Address) -> str:
    trusted = [f"--ssl-ca={address.certificate}"] if address.certificate is not None else []
    return shell(address, f"--ssl-mode={_mode(address)}", *trusted)


def _jdbc(address: Address) -> str:
    options = {"user": address.user, "password": address.password or "", "sslMode": _mode(address)}
    trusted = {"trustCertificateKeyStoreUrl": f"file:{TRUST_STORE}"} if address.certificate is not None else {}
    return url("jdbc:mysql", address, {**options, **trusted})


def _odbc(address: Address) -> str:
    return pairs(
        {
            "Driver": "{MySQL ODBC 8.4 Unicode Driver}",
            "Server": address.host,
            "Port": str(address.port),
            "Database": address.database,
            "User": address.user,
            "Password": address.password,
            "SSLMODE": _mode(address),
            "SSLCA": address.certificate,
        }
    )


tools = {"mysql": _mysql, "jdbc": _jdbc, "odbc": _odbc, "python": mysql_python}
