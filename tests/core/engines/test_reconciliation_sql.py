"""Scope: the SQL by which sources are read for a comparison: that it parses, and its text where no server runs here."""

from itertools import product

import pytest
import sqlglot
from sqlglot import exp

from catchment.engines import engine
from catchment.engines.reconciliation import SourceColumn
from catchment.engines.sqlserver import reconciliation as sqlserver
from catchment.errors import CatchmentError
from catchment.reconcile.fence import fence_passed

DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "sqlserver": "tsql", "oracle": "oracle"}
LEFT_OUT = {"rowversion", "timestamp", "BLOB", "LONG", "LONG RAW"}
"""Types that a comparison does not read."""


def columns_of(name: str) -> list[SourceColumn]:
    types = engine(name).types
    left_out = LEFT_OUT if name in ("sqlserver", "oracle") else set()
    chosen = [declared for declared in types.DOCUMENTED if declared not in left_out]
    return [SourceColumn(f"C {number}", said, types.dms_type(said)) for number, said in enumerate(chosen)]


@pytest.mark.parametrize(("name", "what"), list(product(DIALECTS, ("lines", "fingerprint", "narrowed"))))
def test_the_sql_of_every_documented_type_parses(name: str, what: str) -> None:
    reading = engine(name).reconciliation
    columns = columns_of(name)
    if what == "narrowed":
        conditions = [condition for column in columns if (condition := reading.narrowed(column))]
        assert conditions
        counts = ", ".join(f"count(CASE WHEN {condition} THEN 1 END)" for condition in conditions)
        text = f"SELECT {counts} FROM {reading.quote('S x')}.{reading.quote('T')}"
    else:
        text = getattr(reading, what)("S x", "T", columns)
    [parsed] = sqlglot.parse(text, read=DIALECTS[name])
    assert isinstance(parsed, exp.Select)
    assert parsed.find(exp.Command) is None
    [table] = parsed.find_all(exp.Table)
    assert (table.db, table.name) == ("S x", "T")
    if what != "narrowed":
        named = {name.this for name in parsed.find_all(exp.Identifier)}
        assert named >= {column.name for column in columns}


@pytest.mark.parametrize(
    ("name", "declared", "text"),
    [
        ("sqlserver", "datetime2", "LEFT(CONVERT(nvarchar(27), CAST([v] AS datetime2(7)), 121), 26)"),
        ("sqlserver", "time", "LEFT(CONVERT(nvarchar(16), CAST([v] AS time(7)), 121), 12)"),
        ("sqlserver", "datetimeoffset", "CONVERT(nvarchar(34), [v], 121)"),
        ("sqlserver", "float", "CONVERT(nvarchar(50), [v], 3)"),
        ("sqlserver", "money", "CONVERT(nvarchar(50), [v], 2)"),
        ("sqlserver", "varbinary(16)", r"N'\\x' + CONVERT(nvarchar(max), CAST([v] AS varbinary(max)), 2)"),
        ("oracle", "DATE", "TO_CHAR(\"v\", 'YYYY-MM-DD HH24:MI:SS')"),
        ("oracle", "TIMESTAMP(6)", "SUBSTR(TO_CHAR(\"v\", 'YYYY-MM-DD HH24:MI:SS.FF9'), 1, 26)"),
        ("oracle", "NUMBER", "TO_CHAR(TRUNC(\"v\", 10), 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,''')"),
        ("oracle", "RAW(16)", r"""CASE WHEN "v" IS NOT NULL THEN '\\x' || RAWTOHEX("v") END"""),
    ],
)
def test_a_value_is_asked_for_as_dms_delivers_it(name: str, declared: str, text: str) -> None:
    column = SourceColumn("v", declared, engine(name).types.dms_type(declared))
    assert text in engine(name).reconciliation.lines("s", "t", [column])


def test_a_row_of_sql_server_is_one_line_of_text() -> None:
    column = SourceColumn("na]me", "nvarchar(20)", engine("sqlserver").types.dms_type("nvarchar(20)"))
    escaped = "CAST([na]]me] AS nvarchar(max))"
    for letter, escape in (("N'\\'", r"\\"), ("NCHAR(9)", r"\t"), ("NCHAR(10)", r"\n"), ("NCHAR(13)", r"\r")):
        escaped = f"REPLACE({escaped}, {letter}, N'{escape}')"
    assert sqlserver.lines("dbo", "t", [column]) == (
        f"SELECT CAST(N'1' AS nvarchar(max)) + NCHAR(9) + COALESCE({escaped}, N'\\N') FROM [dbo].[t]"
    )


@pytest.mark.parametrize(
    ("name", "row", "declared"),
    [
        ("sqlserver", ("v", "decimal", None, 12, 2), "decimal(12,2)"),
        ("sqlserver", ("v", "nvarchar", -1, None, None), "nvarchar(max)"),
        ("sqlserver", ("v", "binary", 4, None, None), "binary(4)"),
        ("sqlserver", ("v", "int", None, 10, 0), "int"),
        ("oracle", ("V", "NUMBER", 0, 22, 12, 2), "NUMBER(12,2)"),
        ("oracle", ("V", "NUMBER", 0, 22, None, None), "NUMBER"),
        ("oracle", ("V", "NUMBER", 0, 22, None, 0), "NUMBER(*,0)"),
        ("oracle", ("V", "NVARCHAR2", 20, 40, None, None), "NVARCHAR2(20)"),
        ("oracle", ("V", "TIMESTAMP(6) WITH TIME ZONE", 0, 13, None, 6), "TIMESTAMP(6) WITH TIME ZONE"),
        ("oracle", ("V", "FLOAT", 0, 22, 24, None), "FLOAT(24)"),
        ("oracle", ("V", "RAW", 0, 16, None, None), "RAW(16)"),
    ],
)
def test_the_catalog_says_how_a_column_was_declared(name: str, row: tuple[object, ...], declared: str) -> None:
    [column] = engine(name).reconciliation.columns(lambda _statement, _parameters=(): [row], "s", "t")
    assert column.declared == declared


@pytest.mark.parametrize("name", DIALECTS)
def test_a_fence_is_passed_by_the_position_that_it_is_and_those_behind_it(name: str) -> None:
    facts = engine(name)
    example = facts.infrastructure.log_position_example
    assert fence_passed(name, f"checkpoint:V1#1#{example}#0#0#*#0#0", example)
    assert not fence_passed(name, "", example)
    assert facts.reconciliation.order(example) < facts.reconciliation.order(example[:-1] + "9")


def test_errors_name_what_they_are_about() -> None:
    with pytest.raises(CatchmentError, match="sql_variant"):
        engine("sqlserver").reconciliation.columns(lambda *_: [("v", "sql_variant", None, None, None)], "s", "t")
