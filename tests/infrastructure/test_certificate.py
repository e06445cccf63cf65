"""Certificates of databases: imported into DMS with the stack, never with a key, named by their content."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from catchment.errors import SettingsError
from catchment.settings import load_settings
from catchment_constructs.dms_certificate import DmsCertificate
from stacks import replication
from stacks.context import CDK_JSON, feature_flags

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def _certificate(path: Path, content: bytes) -> tuple[str, dict[str, Any]]:
    path.write_bytes(content)
    stack = Stack(App(), "S")
    DmsCertificate(stack, "Certificate", path=path)
    ((logical_id, resource),) = Template.from_stack(stack).find_resources("AWS::DMS::Certificate").items()
    return logical_id, resource["Properties"]


def test_a_pem_file_is_taken_as_it_is_and_a_wallet_as_base64(tmp_path: Path) -> None:
    assert _certificate(tmp_path / "ca.pem", PEM.encode())[1] == {"CertificatePem": PEM}
    wallet = bytes(range(256))
    _, properties = _certificate(tmp_path / "erp.sso", wallet)
    assert base64.b64decode(properties["CertificateWallet"]) == wallet


def test_another_content_is_another_certificate(tmp_path: Path) -> None:
    """Its endpoint then refers to another resource, and the task is held while that changes."""
    first, _ = _certificate(tmp_path / "ca.pem", PEM.encode())
    assert _certificate(tmp_path / "ca.pem", PEM.encode())[0] == first
    assert _certificate(tmp_path / "ca.pem", PEM.encode() * 2)[0] != first


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"-----BEGIN PRIVATE KEY-----\n" + PEM.encode(), "a private key"),
        (b"nothing", "no certificate in it"),
        (b"\xa1\xf8", "a PEM file is text"),
    ],
)
def test_what_is_no_certificate_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        _certificate(tmp_path / "ca.pem", content)


def test_a_missing_file_is_told_as_the_setting_that_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import app

    monkeypatch.setattr(replication, "ROOT", tmp_path)
    settings = load_settings(CDK_JSON, "prod")
    sales = settings.sources["sales"].model_copy(update={"certificate_file": "ca.pem"})
    with pytest.raises(
        SettingsError, match=r"sources\.sales\.certificate_file: 'ca\.pem' is not allowed.*No such file"
    ):
        app.build(App(context=feature_flags()), settings.model_copy(update={"sources": {"sales": sales}}))
