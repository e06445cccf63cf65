-- Rows of hard.every_type: nothing at all, both extremes, the special values, empty values, and ordinary rows.
-- Beyond years 1 and 9999 stand only the infinities. Left out, because nobody says what DMS makes of them: numeric NaN
-- and infinities, time 24:00, ranges of dates and times.

-- hard.every_type
INSERT INTO hard.every_type (id) VALUES (1);

-- hard.every_type
INSERT INTO hard.every_type VALUES (2,
    -32768, -2147483648, -9223372036854775808, -1234567890123456789012.123456, -9999999999.99,
    -99999999999999999999999999999999999999, -9.9999999999999999999999999999999999999,
    -9999999999999999999999999999999999999999.99999999999999999999,
    '-3.4028235e38', '-1.7976931348623157e308', '-92233720368547758.08', false,
    '', '', '', '', ''::bytea,
    '0001-01-01', '00:00:00', '00:00:00+14', '0001-01-01 00:00:00', '0001-01-01 00:00:00.001', '0001-01-01 00:00:00+00',
    '-178000000 years', '00000000-0000-0000-0000-000000000000', '{}', '{}', convert_to('<a/>', 'UTF8')::xml,
    '0.0.0.0/0', '0.0.0.0/0', '00:00:00:00:00:00', '00000000000', '', 'calm', 0, ROW(NULL, NULL)::hard.money_amount,
    '{}', '{}', 'empty', '(,)', 'empty', '(0,0)', '{1,0,0}', '[(0,0),(0,0)]', '(0,0),(0,0)', '[(0,0)]', '((0,0))', '<(0,0),0>',
    '', '');

-- hard.every_type
INSERT INTO hard.every_type VALUES (3,
    32767, 2147483647, 9223372036854775807, 9999999999999999999999.999999, 9999999999.99,
    99999999999999999999999999999999999999, 9.9999999999999999999999999999999999999,
    9999999999999999999999999999999999999999.99999999999999999999,
    '3.4028235e38', '1.7976931348623157e308', '92233720368547758.07', true,
    'twelve chars', repeat('x', 40), repeat('ß', 300), E'\U0001F600 "quoted", and \\ more\r\n\tnext line ', '\x00017f80ff'::bytea,
    '9999-12-31', '23:59:59.999999', '23:59:59.999999-14', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999',
    '9999-12-31 23:59:59.999999+00', '178000000 years', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '{"b" : 1,  "a":[ ], "b":"twice", "n": 1.0}', '{"b" : 1,  "a":[ ], "b":"twice", "n": 1.0}',
    convert_to('<?xml version="1.0"?><a b="1">ß &amp; more</a>', 'UTF8')::xml,
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', '11111111111', '111111111111111111111111111111',
    'sad, but "fine"', 100, ROW(12.50, 'EUR')::hard.money_amount,
    '{-2147483648,NULL,2147483647}', E'{NULL,"","NULL","a b","it''s","q\\"q"}', '[-2147483648,2147483647)',
    '[-9223372036854775808,9223372036854775807)', '[1.5,2.25]', '(1e300,-1.5)', '{1,-1,0}', '[(1,2),(3.5,4)]', '(3,4),(1,2)',
    '((1,2),(3,4))', '((0,0),(1,0),(1,1))', '<(1.5,2),3>', 'a fat cat:3A,4', '''fat'' & ( ''rat'' | !''cat'' )');

-- hard.every_type
INSERT INTO hard.every_type (id, c_numeric, c_numeric_12_2, c_real, c_double, c_char, c_varchar, c_text, c_date, c_time, c_timestamp,
    c_timestamptz, c_interval, c_json, c_jsonb, c_inet)
VALUES
    (4, 0.611111104488373, 1.10, 'NaN', 'NaN', 'trailing    ', 'trailing    ', ' both ', 'infinity', '12:00:00.000999', 'infinity', 'infinity',
     '1 year 2 months 3 days 04:05:06.789', 'null', 'null', '192.168.0.1/24'),
    (5, -0.0000009, -0.01, 'Infinity', 'Infinity', ' lead', '', '', '-infinity', '00:00:00.0005', '-infinity', '-infinity',
     '-1 year -2 months +3 days -04:05:06', '"text"', '"text"', '192.168.0.1'),
    (6, 1e20, 0, '-Infinity', '-Infinity', NULL, NULL, NULL, '2024-02-29', '01:02:03.004', '2026-03-29 02:30:00', '2026-03-29 02:30:00+01',
     '0', '1.50', '1.50', '::1'),
    (7, 0, 1.00, '-0', '-0', 'a', 'a', 'a', '1970-01-01', '00:00:00', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999+00',
     '1 month', '[1, 2]', '[1, 2]', '10.0.0.0/8'),
    (8, 12345.6789, 3.14, '1e-45', '5e-324', 'é', 'e', 'é', '1582-10-15', '23:59:59', '1582-10-15', '1900-01-01 00:00:00+00',
     '-00:00:00.000001', 'true', 'true', '::ffff:1.2.3.4'),
    (9, 0.1, 0.1, 0.1, 0.1, 'A', 'A', 'A', '2000-01-01', '06:00', '2000-01-01 00:00:00.1', '2000-01-01 00:00:00.1+00',
     '1 day 00:00:00.1', '{"a": {"b": null}}', '{"a": {"b": null}}', '1.2.3.4/32');

-- hard.every_type
INSERT INTO hard.every_type
SELECT i, h & 32767, h & 2147483647, h, h / 1000.0, (h & 1073741823) / 100.0, h, (h & 1073741823) / 7.0e9, h / 13.0,
       (h & 16777215) / 3.0, h / 3.0, ((h & 1073741823) / 100.0)::numeric::money, (h & 1) = 1,
       substr(md5(i::text), 1, 1 + (h & 11)::int), substr(md5(i::text), 1, (h & 31)::int), 'v' || i, 'text ' || i, decode(md5(i::text), 'hex'),
       date '1950-01-01' + (h & 65535)::int, time '00:00' + (h & 65535) * interval '1.000123 seconds',
       (time '00:00' + (h & 65535) * interval '1.000123 seconds') AT TIME ZONE 'UTC',
       timestamp '1950-01-01' + (h & 4294967295) * interval '0.500123 seconds',
       timestamp '1950-01-01' + (h & 4294967295) * interval '0.500123 seconds',
       timestamptz '1950-01-01 00:00:00+00' + (h & 4294967295) * interval '0.500123 seconds',
       make_interval(years => (h & 31)::int, months => (h >> 5 & 15)::int - 5, days => (h >> 9 & 63)::int, secs => (h >> 15 & 65535) / 8.0),
       md5(i::text)::uuid, json_build_object('i', i, 'h', h), jsonb_build_object('i', i, 'h', h),
       convert_to('<row n="' || i || '">&lt;</row>', 'UTF8')::xml,
       '10.0.0.0'::inet + (h & 65535), '10.0.0.0/8'::cidr, ('08002b:' || substr(md5(i::text), 1, 6))::macaddr,
       (h & 2047)::int::bit(11), (h & 1023)::int::bit(10)::varbit, (ARRAY['calm', 'Very Happy', 'sad, but "fine"'])[1 + i %% 3]::hard.mood,
       (h & 63), ROW((h & 65535) / 4.0, 'SEK')::hard.money_amount,
       ARRAY[i, NULL, -i], ARRAY['a' || i, NULL, 'b, c'],
       int4range(i, i + 10), int8range(i, NULL), numrange(i / 2.0, i),
       point(i, i / 3.0), line(point(0, 0), point(i, 1)), lseg(point(0, 0), point(i, 1)), box(point(0, 0), point(i, 1)),
       path(polygon(4, circle(point(0, 0), i))), polygon(4, circle(point(0, 0), i)), circle(point(i, 0), i / 3.0),
       to_tsvector('simple', 'row ' || i), to_tsquery('simple', 'row & ' || i)
FROM (SELECT i::int AS i, hashint8extended(i, %(seed)s + 20) AS h FROM generate_series(10, greatest(10, %(rows)s)) AS i) AS made;
