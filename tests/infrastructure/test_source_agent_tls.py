"""The agent's connections: to whom they are made, and to whom not.

Scope: catchment.engines.connection against the embedded PostgreSQL, which has no TLS, behind a socket that has.
"""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from catchment.engines.connection import connected
from catchment.engines.trust import RDS_CERTIFICATES, Trust
from catchment.errors import SourceUnreachable
from local.source.postgres import EmbeddedPostgres

Signed = tuple[Path, Path]
"""An authority's certificate, and a server's with its key."""


def _signed_for(name: str, folder: Path) -> Signed:
    now = dt.datetime.now(dt.UTC)
    keys = {who: ec.generate_private_key(ec.SECP256R1()) for who in ("authority", "server")}
    names = {who: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, who)]) for who in keys}

    def certificate(who: str, *extensions: x509.ExtensionType) -> bytes:
        built = (
            x509.CertificateBuilder()
            .subject_name(names[who])
            .issuer_name(names["authority"])
            .public_key(keys[who].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
        )
        for extension in extensions:
            built = built.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return built.sign(keys["authority"], hashes.SHA256()).public_bytes(Encoding.PEM)

    authority, server = folder / f"{name}-ca.pem", folder / f"{name}.pem"
    authority.write_bytes(certificate("authority", x509.BasicConstraints(ca=True, path_length=None)))
    key = keys["server"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    server.write_bytes(certificate("server", x509.SubjectAlternativeName([x509.DNSName(name)])) + key)
    return authority, server


@contextmanager
def _behind_tls(target: tuple[str, int], certificate: Path) -> Iterator[int]:
    """A port whose clients get TLS as PostgreSQL begins it, and behind it the target."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client, suppress(OSError):
                    assert client.recv(8)[4:] == bytes.fromhex("04d2162f"), "an SSLRequest"
                    client.sendall(b"S")
                    with context.wrap_socket(client, server_side=True) as secure:
                        _relay(secure, target)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _relay(client: ssl.SSLSocket, target: tuple[str, int]) -> None:
    with socket.create_connection(target) as server:

        def back() -> None:
            with suppress(OSError):
                while data := server.recv(65536):
                    client.sendall(data)

        thread = threading.Thread(target=back)
        thread.start()
        with suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    folder = tmp_path_factory.mktemp("postgres")
    with EmbeddedPostgres.start(folder, parameters={}, user="owner", password="secret", database="sales") as started:
        yield started


@pytest.fixture
def ask(server: EmbeddedPostgres, tmp_path: Path) -> Callable[..., str]:
    """Connect by the name localhost to a server whose certificate is for ``name``; what it says."""

    def run(name: str, *, verified: bool = True, known: bool = True) -> str:
        authority, certificate = _signed_for(name, tmp_path)
        with _behind_tls((server.host, server.port), certificate) as port:
            login = {"host": "localhost", "port": port, "username": server.user, "password": server.password}
            with connected("postgresql", login, "sales", Trust(verified, authority if known else None)) as query:
                return str(query("SELECT current_user || %s", ["!"])[0][0])

    return run


def test_a_server_is_known_by_who_signed_for_its_name(ask: Callable[..., str]) -> None:
    assert ask("localhost") == "owner!"


def test_a_server_that_nobody_known_signed_for_is_refused(ask: Callable[..., str]) -> None:
    with pytest.raises(SourceUnreachable, match="certificate verify failed"):
        ask("localhost", known=False)


def test_a_server_of_another_name_is_refused(ask: Callable[..., str]) -> None:
    with pytest.raises(SourceUnreachable, match="Hostname mismatch"):
        ask("db.example.com")


def test_who_asks_for_encryption_alone_gets_it(ask: Callable[..., str]) -> None:
    assert ask("db.example.com", verified=False, known=False) == "owner!"


def test_without_tls_nothing_is_sent_but_to_this_machine(server: EmbeddedPostgres) -> None:
    login = {"host": server.host, "port": server.port, "username": server.user, "password": server.password}
    with connected("postgresql", login, "sales", Trust()) as query:
        assert query("SELECT 1") == [[1]]
    with (
        pytest.raises(SourceUnreachable, match="localhost"),
        connected("postgresql", {**login, "host": "localhost"}, "sales", Trust()),
    ):
        raise AssertionError("it spoke in the clear")


@pytest.mark.parametrize("engine", ["mysql", pytest.param("sqlserver", marks=pytest.mark.slow)])
def test_a_server_that_is_not_there_is_unreachable_by_every_driver(engine: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    login = {"host": "127.0.0.1", "port": port, "username": "owner", "password": "secret"}
    with (
        pytest.raises(SourceUnreachable, match=f"127.0.0.1:{port} cannot be reached"),
        connected(engine, login, "sales", Trust()),
    ):
        raise AssertionError("somebody answered")


def test_the_certificates_of_rds_are_valid_for_years() -> None:
    known = x509.load_pem_x509_certificates(RDS_CERTIFICATES.read_bytes())
    assert len(known) > 80
    assert all(certificate.issuer == certificate.subject for certificate in known)
    assert min(certificate.not_valid_after_utc for certificate in known).year > 2060
