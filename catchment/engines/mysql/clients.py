"""How clients of MySQL are told where a database is."""

from __future__ import annotations

from catchment.engines.client_text import Target, command, pairs, python, url

TRUST_STORE = "trust.jks"
"""What Java trusts: the RDS User Guide has a script that makes one of the certificates."""


def shell(target: Target, *tls: str) -> str:
    """The command of the client, with its options for TLS; without a password it asks for one."""
    return command(
        "mysql",
        f"--host={target.host}",
        f"--port={target.port}",
        f"--user={target.user}",
        *([] if target.password is not None else ["--password"]),
        *tls,
        # named so, it may begin with a dash
        f"--database={target.database}",
        password_as="MYSQL_PWD",  # noqa: S106 - its name
        password=target.password,
    )


def mysql_python(target: Target) -> str:
    """The same driver speaks to MySQL and MariaDB."""
    said = {"host": target.host, "port": target.port, "database": target.database, "user": target.user}
    tls: dict[str, object] = {"ssl_disabled": True}
    if target.certificate is not None:
        tls = {"ssl_ca": target.certificate, "ssl_verify_cert": True, "ssl_verify_identity": True}
    elif target.encrypted:
        tls = {"ssl": {"check_hostname": False}}
    return python("pymysql", target, {**said, **tls})


def _mode(target: Target) -> str:
    if not target.encrypted:
        return "DISABLED"
    return "VERIFY_IDENTITY" if target.certificate is not None else "REQUIRED"


def _mysql(target: Target) -> str:
    trusted = [f"--ssl-ca={target.certificate}"] if target.certificate is not None else []
    return shell(target, f"--ssl-mode={_mode(target)}", *trusted)


def _jdbc(target: Target) -> str:
    options = {"user": target.user, "password": target.password or "", "sslMode": _mode(target)}
    trusted = {"trustCertificateKeyStoreUrl": f"file:{TRUST_STORE}"} if target.certificate is not None else {}
    return url("jdbc:mysql", target, {**options, **trusted})


def _odbc(target: Target) -> str:
    return pairs(
        {
            "Driver": "MySQL ODBC 8.4 Unicode Driver",
            "Server": target.host,
            "Port": str(target.port),
            "Database": target.database,
            "User": target.user,
            "Password": target.password,
            "SSLMODE": _mode(target),
            "SSLCA": target.certificate,
        }
    )


tools = {"mysql": _mysql, "jdbc": _jdbc, "odbc": _odbc, "python": mysql_python}
