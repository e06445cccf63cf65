"""Delta types: their names, their widening."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchment.landing.types import DeltaType, widen

NAMES = ["byte", "short", "integer", "long", "float", "double", "boolean", "string", "binary", "date", "timestamp"]
DECIMALS = st.integers(1, 38).flatmap(lambda p: st.integers(0, p).map(lambda s: DeltaType("decimal", p, s)))
TYPES = st.sampled_from([*NAMES, "timestamp_ntz"]).map(DeltaType) | DECIMALS


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("int", "integer"),
        ("BIGINT", "long"),
        (" smallint ", "short"),
        ("tinyint", "byte"),
        ("real", "float"),
        ("bool", "boolean"),
        ("decimal", "decimal(10,0)"),
        ("decimal(5)", "decimal(5,0)"),
        ("Numeric( 12 , 2 )", "decimal(12,2)"),
        ("decimal (12,2)", "decimal(12,2)"),
        ("timestamp_ntz", "timestamp_ntz"),
    ],
)
def test_sqls_spellings_are_understood(written: str, normal: str) -> None:
    assert str(DeltaType.parse(written)) == normal


@pytest.mark.parametrize(
    "wrong", ["", "it", "int(4)", "decimal(39,2)", "decimal(2,3)", "decimal(0)", "varchar", "int x"]
)
def test_other_names_are_refused_with_what_is_allowed(wrong: str) -> None:
    with pytest.raises(ValueError, match="one of byte, short"):
        DeltaType.parse(wrong)


@given(TYPES)
def test_a_types_name_reads_back_as_the_type(kind: DeltaType) -> None:
    assert DeltaType.parse(str(kind)) == kind


@given(TYPES, TYPES)
def test_widening_is_the_same_both_ways_and_final(a: DeltaType, b: DeltaType) -> None:
    wide = widen(a, b)
    assert wide == widen(b, a)
    if wide is not None:
        assert widen(wide, a) == widen(wide, b) == wide


@pytest.mark.parametrize(
    ("a", "b", "wide"),
    [
        ("int", "long", "long"),
        ("float", "double", "double"),
        ("int", "double", "double"),
        ("long", "double", None),
        ("long", "float", None),
        ("decimal(12,2)", "decimal(10,4)", "decimal(14,4)"),
        ("decimal(38,2)", "decimal(38,4)", None),
        ("int", "decimal(12,2)", "decimal(12,2)"),
        ("long", "decimal(12,2)", "decimal(21,2)"),
        ("decimal(12,2)", "double", None),
        ("string", "int", None),
        ("date", "timestamp_ntz", "timestamp_ntz"),
        ("date", "timestamp", None),
        ("timestamp", "timestamp_ntz", None),
    ],
)
def test_what_widens_into_what(a: str, b: str, wide: str | None) -> None:
    assert widen(DeltaType.parse(a), DeltaType.parse(b)) == (wide and DeltaType.parse(wide))
