"""Which MySQL type holds a value, which values none holds, and that text carries each of the others over unchanged.

Scope: what is said in DuckDB and as DDL; a real server reads and writes it in tests/conformance.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from catchment.errors import SchemaConflict, SettingsError
from catchment.landing.types import DeltaType
from catchment.sinks.mysql import Login
from catchment.sinks.mysql.types import Types, check, from_text, key_lengths, to_text, unheld

NARROW = Decimal("-9.9999999999999999999999999999999999999")


def kinds(**columns: str) -> dict[str, DeltaType]:
    return {name: DeltaType.parse(kind) for name, kind in columns.items()}


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [
        ("double", "1.5::DOUBLE", True),
        ("double", "'nan'::DOUBLE", False),
        ("float", "'-inf'::FLOAT", False),
        ("date", "DATE '0001-01-01'", True),
        ("date", "DATE '10000-01-01'", False),
        ("date", "DATE '0044-03-15 (BC)'", False),
        ("timestamp_ntz", "TIMESTAMP 'infinity'", False),
        ("timestamp", "TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'", True),
        ("decimal(38,37)", f"{NARROW}::DECIMAL(38,37)", False),
        ("decimal(38,37)", "-9.5::DECIMAL(38,37)", True),
        ("string", "repeat('ä', 800)", True),
    ],
)
def test_what_is_not_held_is_told(kind: str, value: str, held: bool) -> None:
    told = unheld(kinds(c=kind), [])
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"CREATE TABLE t AS SELECT {value} AS c UNION ALL SELECT NULL")
        found = [con.execute(f"SELECT count(*) FROM t WHERE {each.condition.format('c')}").fetchone() for each in told]
    assert [count for (count,) in found if count] == ([] if held else [1])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("binary", "'\\x00\\xFF'::BLOB"),
        ("boolean", "true"),
        ("float", "3.4028235e38::FLOAT"),
        ("timestamp", "TIMESTAMPTZ '2024-02-29 23:59:59.000001+05'"),
        ("decimal(38,37)", "-9.5::DECIMAL(38,37)"),
        ("decimal(38,0)", "99999999999999999999999999999999999999::DECIMAL(38,0)"),
    ],
)
def test_text_carries_a_value_over_unchanged(kind: str, value: str) -> None:
    of = DeltaType.parse(kind)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'Asia/Kathmandu'")
        back = con.execute(
            f"SELECT c IS NOT DISTINCT FROM {from_text('said', of)}, said "
            f"FROM (SELECT c, {to_text('c', of)} AS said FROM (SELECT CAST({value} AS {of.duckdb}) AS c))"
        ).fetchone()
    assert back is not None
    assert back[0], back


def test_all_of_a_key_fits_into_an_index_entry() -> None:
    types, columns = Types("utf8mb4_nopad_bin"), kinds(a="string", b="binary", c="long", word="string")
    lengths = key_lengths({name: columns[name] for name in ("a", "b", "c")})
    assert 4 * lengths["a"] + lengths["b"] + 8 <= 3072
    assert "LONGTEXT" in types.definitions(columns, ("a", "b", "c"))["word"]
    assert types.definitions(columns, ("a", "b", "c"))["a"].startswith(f"VARCHAR({lengths['a']})")
    found = {each.column for each in unheld(columns, ("a", "b", "c"))}
    assert found == {"a", "b"}


@pytest.mark.parametrize("name", ["n" * 65, "blank ", "smile \U0001f600", "nul\0"])
def test_a_name_that_mysql_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(SchemaConflict):
        check("s.t", {name: DeltaType("long")})


def test_names_that_differ_by_case_alone_are_refused() -> None:
    with pytest.raises(SchemaConflict, match="case alone"):
        check("s.t", kinds(a="long", A="long"))


def test_a_url_says_what_mysqls_own_tools_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQL_PWD", "from outside")
    found = Login.parse("mysql://feeder@db.example.org/")
    assert (found.host, found.port, found.database, found.password) == ("db.example.org", 3306, "", "from outside")
    assert found.ssl_mode == "VERIFY_IDENTITY"
    assert Login.parse("mysql://a:b%40c@127.0.0.1:3307/shop").ssl_mode == "DISABLED"
    assert Login.parse("mysql://a:b%40c@127.0.0.1:3307/shop").password == "b@c"
    encrypted = Login.parse("mysql://a@h/?ssl-mode=required").tls()
    assert encrypted is not None
    assert not encrypted.check_hostname


@pytest.mark.parametrize("url", ["mysql://db/", "mysql:///x", "mysql://a@h/?ssl-mode=maybe", "mysql://a@h/?compress=1"])
def test_a_url_that_is_not_understood_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        Login.parse(url)
