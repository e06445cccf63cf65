-- Rows of schema hard. Each statement gets %(rows)s, the number of rows to make, and %(seed)s.

-- hard.composite_key
INSERT INTO hard.composite_key
SELECT md5((i %% 40)::text || %(seed)s)::uuid,
       (ARRAY['alpha','Alpha','be ta','γάμμα'])[1 + (i / 40) %% 4],
       i / 160,
       ((h >> 8) & 16777215) / 100.0,
       CASE WHEN (h & 7) = 0 THEN NULL ELSE 'note ' || (h & 1023) END
FROM (SELECT i, hashint8extended(i, %(seed)s + 10) AS h FROM generate_series(0, %(rows)s - 1) AS i) AS made;

-- hard.no_key
INSERT INTO hard.no_key
SELECT timestamp '2025-06-01' + (i / 3) * interval '1 minute',
       (ARRAY['login','logout','click','click'])[1 + (i / 3) %% 4],
       CASE WHEN i %% 5 = 0 THEN NULL ELSE (i / 3) / 4.0 END,
       CASE WHEN i %% 7 = 0 THEN '' WHEN i %% 11 = 0 THEN NULL ELSE 'the same thing twice' END
FROM generate_series(1, %(rows)s) AS i;

-- hard.text_key
INSERT INTO hard.text_key
SELECT CASE WHEN i <= 20
            THEN (ARRAY['', ' ', '  ', 'a', 'A', 'a ', ' a', 'ä', E'a\u0308', 'ß', 'SS', '日本語', E'\U0001F600',
                        'it''s', '"quoted"', E'back\\slash', E'tab\there', E'line\nbreak', '%%_', 'NULL'])[i]
            ELSE substr(md5(i::text), 1, 12) || '-' || i END,
       CASE WHEN i %% 9 = 0 THEN NULL ELSE 'title ' || i END,
       i
FROM generate_series(1, %(rows)s) AS i;

-- hard.Mixed Case
INSERT INTO hard."Mixed Case"
SELECT i, 'Name ' || i, CASE WHEN i %% 3 = 0 THEN NULL ELSE 'camel' || i END, i * 7, i / 8.0, date '2026-01-01' + i %% 365, 'it''s; ' || i
FROM generate_series(1, %(rows)s) AS i;

-- hard.order
INSERT INTO hard."order"
SELECT i, 'select ' || i, i %% 10, 'table;--', CASE WHEN i %% 4 = 0 THEN NULL ELSE 'user' || i END,
       timestamp '2026-01-01' + i * interval '1 hour', i %% 3 = 0
FROM generate_series(1, %(rows)s) AS i;

-- hard.large_values
INSERT INTO hard.large_values
SELECT i,
       CASE WHEN i %% 10 = 0 THEN NULL WHEN i %% 10 = 1 THEN '' WHEN i %% 10 = 2 THEN 'short' ELSE noise END,
       CASE WHEN i %% 10 = 3 THEN NULL ELSE jsonb_build_object('id', i, 'noise', noise, 'größe', 1.50) END,
       CASE WHEN i %% 10 = 4 THEN NULL WHEN i %% 10 = 5 THEN '' ELSE decode(noise, 'hex') || '\x00ff'::bytea END,
       0
FROM generate_series(1, %(rows)s) AS i,
     LATERAL (SELECT string_agg(md5(i::text || n || %(seed)s), '') AS noise FROM generate_series(1, 280 + i %% 120) AS n) AS made;

-- hard.evolving
INSERT INTO hard.evolving
SELECT i, 'name ' || i, CASE WHEN i %% 6 = 0 THEN NULL ELSE i * 1000 END, i / 4.0
FROM generate_series(1, %(rows)s) AS i;

-- hard.swaps
INSERT INTO hard.swaps
SELECT i, 'row ' || i, i %% 13 FROM generate_series(1, %(rows)s) AS i;
