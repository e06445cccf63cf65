"""Whatever changes, something is told of it, and nothing of what does not.

Scope: catchment.review on generated templates.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catchment.review import review
from tests.core.review.templates import stack

_KINDS = (
    "AWS::DMS::Endpoint",
    "AWS::DMS::ReplicationInstance",
    "AWS::DMS::ReplicationTask",
    "AWS::EC2::SecurityGroup",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBParameterGroup",
    "AWS::S3::Bucket",
    "AWS::Unheard::Of",
    "Custom::DmsReplication",
)
_scalars = st.one_of(st.integers(0, 3), st.sampled_from(["a", "b"]), st.booleans())
_references = st.sampled_from(["A", "B", "C"]).map(lambda name: {"Ref": name})
_names = st.sampled_from(["KmsKeyId", "Tags", "Engine", "MultiAZ", "Name", "S3Settings", "Unknown"])
_properties = st.dictionaries(_names, st.one_of(_scalars, _references, st.lists(_scalars, max_size=2)), max_size=4)
_templates = st.dictionaries(
    st.sampled_from(["A", "B", "C"]), st.tuples(st.sampled_from(_KINDS), _properties), max_size=3
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(before=_templates, after=_templates)
def test_every_change_is_told_and_nothing_else(before: dict[str, Any], after: dict[str, Any]) -> None:
    effects = review({"S": stack("S", before)}, {"S": stack("S", after)})
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    named = {effect.resource for effect in effects}
    assert changed <= named
    assert [effect.level for effect in effects] == sorted((effect.level for effect in effects), reverse=True)
    assert review({"S": stack("S", after)}, {"S": stack("S", after)}) == []
