"""The environments that docs/settings.md shows are ones: each is put into cdk.json, loaded and synthesized."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from catchment.settings import Settings, load_settings
from stacks import replication
from stacks.context import CDK_JSON
from tests.infrastructure.assembly import Assembly

DOCS = CDK_JSON.parent / "docs" / "settings.md"
EXAMPLES = [text for text in re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL) if '"engine"' in text]


@pytest.fixture
def beside_cdk_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of cdk.json, with the wallet that the example names."""
    wallet = tmp_path / "certificates" / "erp.sso"
    wallet.parent.mkdir()
    wallet.write_bytes(bytes(range(256)))
    monkeypatch.setattr(replication, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_is_an_environment(
    text: str, beside_cdk_json: Path, synthesized: Callable[[Settings], Assembly]
) -> None:
    document = json.loads(CDK_JSON.read_text())
    [(name, said)] = json.loads(f"{{{text}}}").items()
    document["context"]["environments"][name] = said
    path = beside_cdk_json / "cdk.json"
    path.write_text(json.dumps(document))
    settings = load_settings(path, name)
    assembly = synthesized(settings)
    assert sorted(settings.sources) == ["erp"]
    [endpoint] = [
        each for each in assembly.properties("Replication", "AWS::DMS::Endpoint") if each["EngineName"] == "oracle"
    ]
    assert (endpoint["SslMode"], endpoint["DatabaseName"]) == ("verify-ca", "ERP.acme.example")
    [certificate] = assembly.resources("Replication", "AWS::DMS::Certificate")
    assert endpoint["CertificateArn"] == {"Ref": certificate}
    assert not assembly.resources("Sources", "AWS::RDS::DBInstance")


def test_there_is_an_example() -> None:
    assert len(EXAMPLES) == 1
