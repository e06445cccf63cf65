"""DmsCertificate."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from aws_cdk.aws_dms import CfnCertificate
from constructs import Construct


class DmsCertificate(Construct):
    """CA certificates of a database, imported into DMS from a PEM file or an Oracle wallet (``.sso``).

    Another content is another certificate with another ARN, so that endpoints follow it. A wallet is handed over as
    base64, as CloudFormation's text properties hold binary values. Raises ValueError for a file that is neither, or
    that holds a private key: templates are no place for one.

    Example: ``DmsCertificate(self, "Certificate", path=Path("certificates/eu-central-1-bundle.pem")).arn``
    """

    def __init__(self, scope: Construct, construct_id: str, *, path: Path) -> None:
        super().__init__(scope, construct_id)
        content = path.read_bytes()
        wallet = base64.b64encode(content).decode() if path.suffix == ".sso" else None
        pem = _certificates(path, content) if wallet is None else None
        certificate = CfnCertificate(
            self,
            f"Resource{hashlib.sha256(content).hexdigest()[:8]}",
            certificate_pem=pem,
            certificate_wallet=wallet,
        )
        self.arn: str = certificate.ref


def _certificates(path: Path, content: bytes) -> str:
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: a PEM file is text, an Oracle wallet ends in .sso") from None
    if "PRIVATE KEY-----" in text:
        raise ValueError(f"{path}: it holds a private key; give the certificates of its authority alone")
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise ValueError(f"{path}: no certificate in it (-----BEGIN CERTIFICATE-----)")
    return text
