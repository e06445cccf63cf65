-- Schema hard of the laptop's source: one table per hard case.
-- Keys are added after the rows (keys.sql): a load into a table without an index is twice as fast.

CREATE SCHEMA hard;

CREATE TABLE hard.composite_key (
    tenant uuid NOT NULL,
    code   varchar(40) NOT NULL,
    n      integer NOT NULL,
    amount numeric(12, 2),
    note   varchar(60)
);

CREATE TABLE hard.no_key (
    happened_at timestamp NOT NULL,
    kind        varchar(20) NOT NULL,
    amount      numeric(12, 2),
    note        varchar(60)
);

-- varchar, not text: to DMS text is a LOB, and a LOB cannot be a key
CREATE TABLE hard.text_key (
    code  varchar(64) NOT NULL,
    title varchar(100),
    n     integer NOT NULL
);

CREATE TABLE hard."Mixed Case" (
    "Id"            integer NOT NULL,
    "Customer Name" varchar(40),
    "camelCase"     varchar(40),
    "UPPER"         integer,
    "Größe"         numeric(6, 1),
    "from"          date,
    "semi-colon's"  varchar(40)
);

CREATE TABLE hard."order" (
    id       integer NOT NULL,
    "select" varchar(40),
    "group"  integer,
    "table"  varchar(40),
    "user"   varchar(40),
    "where"  timestamp,
    "null"   boolean
);

CREATE TYPE hard.mood AS ENUM ('calm', 'Very Happy', 'sad, but "fine"');
CREATE DOMAIN hard.percentage AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE hard.money_amount AS (amount numeric(12, 2), currency char(3));

-- The wheel's PostgreSQL is built without libxml and parses no XML; this cast puts in values that are XML already.
CREATE CAST (bytea AS xml) WITHOUT FUNCTION;

CREATE TABLE hard.every_type (
    id                  integer NOT NULL,
    c_smallint          smallint,
    c_integer           integer,
    c_bigint            bigint,
    c_numeric           numeric,
    c_numeric_12_2      numeric(12, 2),
    c_numeric_38_0      numeric(38, 0),
    c_numeric_38_37     numeric(38, 37),
    c_numeric_60_20     numeric(60, 20),
    c_real              real,
    c_double            double precision,
    c_money             money,
    c_boolean           boolean,
    c_char              char(12),
    c_varchar           varchar(40),
    c_varchar_unbounded varchar,
    c_text              text,
    c_bytea             bytea,
    c_date              date,
    c_time              time,
    c_timetz            timetz,
    c_timestamp         timestamp,
    c_timestamp_3       timestamp(3),
    c_timestamptz       timestamptz,
    c_interval          interval,
    c_uuid              uuid,
    c_json              json,
    c_jsonb             jsonb,
    c_xml               xml,
    c_inet              inet,
    c_cidr              cidr,
    c_macaddr           macaddr,
    c_bit               bit(11),
    c_varbit            varbit(30),
    c_enum              hard.mood,
    c_domain            hard.percentage,
    c_composite         hard.money_amount,
    c_integers          integer[],
    c_texts             text[],
    c_int4range         int4range,
    c_int8range         int8range,
    c_numrange          numrange,
    c_point             point,
    c_line              line,
    c_lseg              lseg,
    c_box               box,
    c_path              path,
    c_polygon           polygon,
    c_circle            circle,
    c_tsvector          tsvector,
    c_tsquery           tsquery
);

-- Values over 8 kB lie out of line. Preparation has the whole old row logged: without, an update that leaves them alone
-- would not carry them.
CREATE TABLE hard.large_values (
    id       integer NOT NULL,
    body     text,
    document jsonb,
    picture  bytea,
    touched  integer NOT NULL
);
ALTER TABLE hard.large_values ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE hard.large_values ALTER COLUMN document SET STORAGE EXTERNAL;
ALTER TABLE hard.large_values ALTER COLUMN picture SET STORAGE EXTERNAL;

CREATE TABLE hard.evolving (
    id      integer NOT NULL,
    name    varchar(20),
    counter integer,
    price   numeric(8, 2)
);

CREATE TABLE hard.swaps (
    id    integer NOT NULL,
    label varchar(40) NOT NULL,
    n     integer NOT NULL
);
