-- Primary keys, added after the rows. hard.no_key has none.

ALTER TABLE hard.composite_key ADD PRIMARY KEY (tenant, code, n);
ALTER TABLE hard.text_key ADD PRIMARY KEY (code);
ALTER TABLE hard."Mixed Case" ADD PRIMARY KEY ("Id");
ALTER TABLE hard."order" ADD PRIMARY KEY (id);
ALTER TABLE hard.every_type ADD PRIMARY KEY (id);
ALTER TABLE hard.large_values ADD PRIMARY KEY (id);
ALTER TABLE hard.evolving ADD PRIMARY KEY (id);
ALTER TABLE hard.swaps ADD PRIMARY KEY (id);
