-- The columns of a source table as its last complete batch found them.
create table unimig.source_column (
    node text not null,
    name text not null,
    place integer not null,
    -- Its table and its number there, which outlive a new name; NULL for what a SELECT gives.
    table_id oid,
    number smallint,
    data_type text not null,
    -- Of an enum.
    labels text[],
    primary key (node, name)
);
-- The tables of a source's schema that were seen, and which of them came later than the first look.
create table unimig.source_table (
    source text not null,
    schema text not null,
    name text not null,
    is_new boolean not null,
    seen_at timestamptz not null default now(),
    primary key (source, schema, name)
);
-- A value that its copy refused, as long as its source has it.
create table unimig.quarantine (
    node text not null,
    -- The row's key, as text.
    row_key jsonb not null,
    column_name text not null,
    sqlstate text not null,
    raw_value text,
    batch_id bigint not null,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now()
);
create unique index quarantine_value on unimig.quarantine (node, md5(row_key::text), column_name);
