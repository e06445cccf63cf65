"""Scope: `catchment connect` on a URL: what goes where, and what is refused."""

import pytest

from catchment.cli.app import run

URL = "postgresql://me:p%40ss@db.example.com/sales"


def test_the_command_goes_to_standard_output_and_has_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["connect", "--url", URL, "--tool", "psql"]) == 0
    said = capsys.readouterr()
    assert said.out == "psql 'host=db.example.com port=5432 dbname=sales user=me sslmode=require'\n"
    assert said.err == ""


def test_a_password_and_a_certificate_are_told_where_they_are_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["connect", "--url", URL, "--tool", "psql", "--with-password", "--ca", "ca.pem"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("PGPASSWORD=p@ss psql ")
    assert "sslmode=verify-full sslrootcert=ca.pem" in said


def test_a_database_on_this_machine_is_spoken_to_without_tls(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["connect", "--url", "mysql://me@127.0.0.1/sales"]) == 0
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if line.startswith("# ")] == ["# mysql", "# jdbc", "# odbc", "# python"]
    assert "--ssl-mode=DISABLED" in said


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "SOURCE or --url"),
        (["sales", "--url", URL], "SOURCE or --url"),
        (["--url", URL, "--tool", "sqlcmd"], "psql, jdbc, odbc, python"),
        (["nothing", "--env", "dev"], "allowed are sales"),
        (["--url", "db2://me@h/d"], "ENGINE"),
    ],
)
def test_what_cannot_be_meant_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], named: str) -> None:
    assert run(["connect", *arguments]) == 2
    assert named in capsys.readouterr().err
