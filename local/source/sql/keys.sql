-- Primary keys, added after the rows. hard.no_key has none.

ALTER TABLE sales.clients ADD PRIMARY KEY (id);
ALTER TABLE sales.client_addresses ADD PRIMARY KEY (id);
ALTER TABLE sales.sales_people ADD PRIMARY KEY (id);
ALTER TABLE sales.products ADD PRIMARY KEY (id);
ALTER TABLE sales.sales ADD PRIMARY KEY (id);
ALTER TABLE sales.sales_items ADD PRIMARY KEY (sale_id, line_no);
ALTER TABLE hard.composite_key ADD PRIMARY KEY (tenant, code, n);
ALTER TABLE hard.text_key ADD PRIMARY KEY (code);
ALTER TABLE hard."Mixed Case" ADD PRIMARY KEY ("Id");
ALTER TABLE hard."order" ADD PRIMARY KEY (id);
ALTER TABLE hard.every_type ADD PRIMARY KEY (id);
ALTER TABLE hard.large_values ADD PRIMARY KEY (id);
ALTER TABLE hard.evolving ADD PRIMARY KEY (id);
ALTER TABLE hard.swaps ADD PRIMARY KEY (id);
