"""SQL expressions that turn a file's value into a column's type, exactly or not at all.

Every expression gives NULL where the value does not fit. DuckDB's own TRY_CAST is too kind for that: it rounds
(``1.5`` becomes the integer 2), reads ``1_000`` and ``0x1f`` as numbers, drops a time of day from a date, moves
``24:00:00`` to the next day and a number too large for a double to infinity. So a cast from text must either give back
the text it came from or pass the written form, and a cast between types must lead back to where it came from.
"""

from __future__ import annotations

from catchment.landing.types import DeltaType

TEXT = "VARCHAR"
TIME_MS = "TIME_MS"  # DuckDB reads every time as microseconds; the file said milliseconds

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")
_NUMERIC = ("byte", "short", "integer", "long", "float", "double", "decimal", "boolean")
_DAY = r"\d{4,6}-\d{2}-\d{2}"
_CLOCK = r"([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{0,6}0*)?"
_ZONE = r" ?(Z|[+-]\d{2}(:?\d{2})?)"
_BC = r" ?(BC|\(BC\))"
_NO_OFFSET = r" ?(Z|[+-]00(:?00)?)"

# Lambdas bind a part once; macros alone would repeat it wherever it is used, and the planner would drown.
MACROS = r"""
CREATE OR REPLACE TEMP MACRO landing_plain(x) AS list_transform(
  [regexp_extract(x, '^ *([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,3}))? *$', ['sign', 'whole', 'fraction', 'exponent'])],
  lambda p: list_transform(
    [{'digits': p.whole || p.fraction,
      'point': CAST(length(p.whole) + coalesce(TRY_CAST(nullif(p.exponent, '') AS INTEGER), 0) AS INTEGER)}],
    lambda q: CASE WHEN q.digits <> '' THEN
      (CASE WHEN p.sign = '-' THEN '-' ELSE '' END)
      || (CASE WHEN q.point <= 0 THEN '0' ELSE rpad(left(q.digits, q.point), q.point, '0') END)
      || rtrim(rtrim('.' || repeat('0', -q.point) || substr(q.digits, greatest(q.point, 0) + 1), '0'), '.') END)[1])[1];
"""
"""To be run once in a session. ``landing_plain`` writes a number, also one with exponent, as plain digits without
zeros behind the fraction (``+1.23400000e+04`` becomes ``12340``); NULL where the text is no number."""


def cast(value: str, source: str, target: DeltaType) -> str:
    """An SQL expression of type ``target.duckdb`` for the SQL expression ``value`` of DuckDB type ``source``.

    ``source`` is what DESCRIBE says, or TIME_MS. The result is NULL where the value is NULL or does not fit.
    """
    if source in (TEXT, "JSON") or source.startswith("ENUM"):
        return _from_text(value if source == TEXT else f"CAST({value} AS VARCHAR)", target)
    if source == "BLOB":
        return value if target.name == "binary" else _from_text(f"TRY(decode({value}))", target)
    if source in (*_INTEGERS, "FLOAT", "DOUBLE", "BOOLEAN") or source.startswith("DECIMAL"):
        return _from_number(value, source, target)
    if source.startswith("TIMESTAMP"):
        return _from_timestamp(value, source, target)
    if source == "DATE":
        return _from_date(value, target)
    text = _written(value, source)
    return text if target.name == "string" else f"CAST(NULL AS {target.duckdb})"


def _from_text(x: str, target: DeltaType) -> str:
    kind = target.name
    if kind == "string":
        return x
    if kind in ("byte", "short", "integer", "long", "decimal"):
        return _number_from_text(x, target)
    if kind in ("float", "double"):
        number = f"TRY_CAST({x} AS {target.duckdb})"
        in_range = f"(isfinite({number}) OR NOT regexp_matches({x}, '\\d'))"
        return f"CASE WHEN NOT contains({x}, '_') AND {in_range} THEN {number} END"
    if kind == "boolean":
        return (
            f"CASE WHEN lower({x}) IN ('true', 't', '1', 'y', 'yes', 'on') THEN true "
            f"WHEN lower({x}) IN ('false', 'f', '0', 'n', 'no', 'off') THEN false END"
        )
    if kind == "binary":
        digits = f"regexp_replace({x}, '^(0[xX]|\\\\x)', '')"
        return f"CASE WHEN regexp_full_match({x}, '(0[xX]|\\\\x)?([0-9A-Fa-f]{{2}})*') THEN unhex({digits}) END"
    return _date_from_text(x) if kind == "date" else _timestamp_from_text(x, target)


def _number_from_text(x: str, target: DeltaType) -> str:
    quick = f"TRY_CAST({x} AS {target.duckdb})"
    fits = f"length(split_part(plain, '.', 2)) <= {target.scale}"
    slow = f"CASE WHEN {fits} THEN TRY_CAST(plain AS {target.duckdb}) END"
    careful = f"list_transform([landing_plain({x})], lambda plain: {slow})[1]"
    return f"CASE WHEN {x} IS NULL THEN NULL WHEN CAST({quick} AS VARCHAR) = {x} THEN {quick} ELSE {careful} END"


def _date_from_text(x: str) -> str:
    quick = f"TRY_CAST({x} AS DATE)"
    midnight = r"([ T]00:00(:00(\.0*)?)?)?"
    slow = f"TRY_CAST({_with_era(x)} AS DATE)"
    return (
        f"CASE WHEN {x} IS NULL THEN NULL WHEN CAST({quick} AS VARCHAR) = {x} AND isfinite({quick}) THEN {quick} "
        f"WHEN regexp_full_match({x}, '{_DAY}{midnight}({_BC})?') THEN {slow} END"
    )


def _timestamp_from_text(x: str, target: DeltaType) -> str:
    quick = f"try_strptime({x}, ['%Y-%m-%d %H:%M:%S.%f', '%Y-%m-%d %H:%M:%S'])"
    usual = f"({x} LIKE '____-__-__ __:__:__.______' OR {x} LIKE '____-__-__ __:__:__')"
    bare = f"TRY_CAST({x} AS TIMESTAMP)"
    era = f"TRY_CAST({_with_era(x)} AS TIMESTAMP)"
    form = f"{_DAY}([ T]{_CLOCK})?"
    if target.name == "timestamp":
        zoned = f"TRY_CAST({x} AS TIMESTAMP WITH TIME ZONE)"
        zone, quick, bare, era = _ZONE, _instant(quick), _instant(bare), _instant(era)
    else:
        zoned, zone = f"TRY_CAST(regexp_replace({x}, '{_NO_OFFSET}$', '') AS TIMESTAMP)", _NO_OFFSET
    return (
        f"CASE WHEN {x} IS NULL THEN NULL WHEN {usual} AND {quick} IS NOT NULL THEN {quick} "
        f"WHEN regexp_full_match({x}, '{form}') THEN {bare} "
        f"WHEN regexp_full_match({x}, '{_DAY}[ T]{_CLOCK}{zone}') THEN {zoned} "
        f"WHEN regexp_full_match({x}, '{form}{_BC}') THEN {era} END"
    )


def _with_era(x: str) -> str:
    """DuckDB wants the era behind the day: ``0044-03-15 (BC) 10:00:00``."""
    return f"regexp_replace({x}, '^({_DAY})(.*?)({_BC})$', '\\1 (BC)\\2')"


def _from_number(value: str, source: str, target: DeltaType) -> str:
    if source == target.duckdb:
        return value
    if target.name == "string":
        return f"CAST({value} AS VARCHAR)"
    if target.name not in _NUMERIC:
        return f"CAST(NULL AS {target.duckdb})"
    there = f"TRY_CAST({value} AS {target.duckdb})"
    back = f"TRY_CAST({there} AS {source})"
    return f"CASE WHEN {back} = {value} THEN {there} END"


def _from_timestamp(value: str, source: str, target: DeltaType) -> str:
    if source == target.duckdb:
        return value
    in_nanoseconds = source.endswith("_NS")
    exact = f"epoch_ns({value}) % 1000 = 0" if in_nanoseconds else "true"
    micros = f"epoch_ns({value}) // 1000" if in_nanoseconds else f"epoch_us({value})"
    wall = f"make_timestamp({micros})"
    if target.name in ("timestamp", "timestamp_ntz"):
        moment = f"make_timestamptz({micros})" if target.name == "timestamp" else wall
        return f"CASE WHEN {exact} THEN {moment} END"
    if target.name == "date":
        return f"CASE WHEN {exact} AND CAST(CAST({wall} AS DATE) AS TIMESTAMP) = {wall} THEN CAST({wall} AS DATE) END"
    if target.name == "string":
        return f"CASE WHEN {exact} THEN CAST({wall} AS VARCHAR) END"
    return f"CAST(NULL AS {target.duckdb})"


def _from_date(value: str, target: DeltaType) -> str:
    if target.name == "date":
        return value
    if target.name == "string":
        return f"CAST({value} AS VARCHAR)"
    if target.name == "timestamp_ntz":
        return f"TRY_CAST({value} AS TIMESTAMP)"
    if target.name == "timestamp":
        return _instant(f"TRY_CAST({value} AS TIMESTAMP)")
    return f"CAST(NULL AS {target.duckdb})"


def _written(value: str, source: str) -> str:
    """Types Delta has no name for, as text: a time of day keeps all digits of its unit."""
    if source in (TIME_MS, "TIME", "TIME WITH TIME ZONE"):
        digits = "%g" if source == TIME_MS else "%f"
        return f"strftime(DATE '1970-01-01' + CAST({value} AS TIME), '%H:%M:%S.{digits}')"
    if source.endswith("]") or source.startswith(("STRUCT", "MAP")):
        return f"CAST(to_json({value}) AS VARCHAR)"
    return f"CAST({value} AS VARCHAR)"


def _instant(wall: str) -> str:
    """A wall clock read as UTC, by its microseconds: no calendar can move it."""
    return f"make_timestamptz(epoch_us({wall}))"
