-- Rows of schema sales. Each statement gets %(rows)s, the number of rows to make, and %(seed)s.
-- hashint8extended(i, seed + n) is the n-th random 64-bit number of row i: the same on every machine and every run.
-- sales_items takes %(sales)s besides: sale i has its share of the lines, numbered from 1.

-- sales.sales_people
INSERT INTO sales.sales_people
SELECT i,
       (ARRAY['Ana','Björn','Chloé','Dmitri','Éva','Farid','Grace','Håkon'])[1 + (h & 7)] || ' '
           || (ARRAY['Álvarez','Brandt','Costa','O''Neil','Ibáñez','Weiß','Kowalski','Nguyễn'])[1 + ((h >> 8) & 7)],
       (ARRAY['north','south','east','west'])[1 + ((h >> 16) & 3)],
       date '2005-01-01' + ((h >> 20) & 4095)::int,
       (((h >> 32) & 1023) / 4096.0)::real
FROM (SELECT i, hashint8extended(i, %(seed)s) AS h FROM generate_series(1, %(rows)s) AS i) AS made;

-- sales.products
INSERT INTO sales.products
SELECT i,
       'SKU-' || lpad(i::text, 7, '0'),
       (ARRAY['Lamp','Desk','Chair','Rug, hand-made','Shelf 24"','Sofa','Clock','Vase'])[1 + (h & 7)] || ' ' || (h >> 40 & 255),
       ((h >> 4) & 262143) / 100.0,
       CASE WHEN (h & 15) = 0 THEN NULL ELSE ((h >> 22) & 1048575) / 7.0 END,
       CASE WHEN (h & 31) = 1 THEN NULL
            ELSE jsonb_build_object('colour', (ARRAY['red','grün','blue','black'])[1 + ((h >> 12) & 3)],
                                    'sizes', jsonb_build_array((h >> 16) & 63, (h >> 24) & 63, NULL)) END,
       (h & 63) = 7
FROM (SELECT i, hashint8extended(i, %(seed)s + 1) AS h FROM generate_series(1, %(rows)s) AS i) AS made;

-- sales.clients
INSERT INTO sales.clients
SELECT i,
       (ARRAY['Ana','Björn','Chloé','Dmitri','Éva','Farid','Grace','Håkon'])[1 + (h & 7)] || ' '
           || (ARRAY['Álvarez','Brandt','Costa','O''Neil','Ibáñez','Weiß','Kowalski','Nguyễn'])[1 + ((h >> 8) & 7)],
       CASE WHEN (h & 15) = 3 THEN NULL WHEN (h & 255) = 4 THEN '' ELSE 'client' || i || '@example.com' END,
       (ARRAY['retail','wholesale','public','partner'])[1 + ((h >> 16) & 3)],
       CASE WHEN (h & 7) = 5 THEN NULL ELSE ((h >> 18) & 16777215) / 100.0 END,
       (h & 31) <> 9,
       CASE WHEN (h & 15) = 1 THEN 'calls back,' || chr(10) || 'says "soon"' WHEN (h & 15) = 2 THEN '' END,
       timestamptz '2015-01-01 00:00:00+00' + ((h >> 12) & 268435455) * interval '1 second 17 microseconds',
       CASE WHEN (h & 3) = 0 THEN NULL ELSE timestamp '2024-01-01' + ((h >> 20) & 33554431) * interval '1 second' END
FROM (SELECT i, hashint8extended(i, %(seed)s + 2) AS h FROM generate_series(1, %(rows)s) AS i) AS made;

-- sales.client_addresses
INSERT INTO sales.client_addresses
SELECT i,
       1 + (h & 1073741823) %% %(clients)s,
       (ARRAY['billing','shipping','office','other'])[1 + ((h >> 30) & 3)],
       (ARRAY['High Street','Hauptstraße','Rue de l''Église','Calle Mayor'])[1 + ((h >> 32) & 3)] || ' ' || ((h >> 34) & 255),
       (ARRAY['Lisboa','København','Praha','Łódź','Malmö','Bern','Graz','Nice'])[1 + ((h >> 42) & 7)],
       CASE WHEN (h & 63) = 0 THEN NULL ELSE lpad(((h >> 44) & 65535)::text, 5, '0') END,
       (ARRAY['PT','DK','CZ','PL','SE','CH','AT','FR'])[1 + ((h >> 42) & 7)],
       date '2016-01-01' + ((h >> 20) & 2047)::int
FROM (SELECT i, hashint8extended(i, %(seed)s + 3) AS h FROM generate_series(1, %(rows)s) AS i) AS made;

-- sales.sales
INSERT INTO sales.sales
SELECT i,
       1 + (h & 1073741823) %% %(clients)s,
       CASE WHEN (h & 15) = 6 THEN NULL ELSE 1 + ((h >> 30) & 65535) %% %(sales_people)s END,
       timestamptz '2020-01-01 00:00:00+00' + ((h >> 34) & 134217727) * interval '1 second 1 microsecond',
       (ARRAY['new','paid','packed','sent','done','done','done','returned'])[1 + ((h >> 10) & 7)],
       CASE WHEN (h & 31) = 11 THEN NULL ELSE (ARRAY['web','shop','phone','agent'])[1 + ((h >> 14) & 3)] END,
       ((h >> 16) & 33554431) / 100.0
FROM (SELECT i, hashint8extended(i, %(seed)s + 4) AS h FROM generate_series(1, %(rows)s) AS i) AS made;

-- sales.sales_items
INSERT INTO sales.sales_items
SELECT 1 + (i - 1) %% %(sales)s,
       1 + (i - 1) / %(sales)s,
       1 + (h & 1073741823) %% %(products)s,
       1 + ((h >> 30) & 15),
       ((h >> 34) & 262143) / 100.0,
       CASE WHEN (h & 3) = 0 THEN NULL ELSE ((h >> 52) & 2047) / 10000.0 END
FROM (SELECT i, hashint8extended(i, %(seed)s + 5) AS h FROM generate_series(1, %(rows)s) AS i) AS made;
