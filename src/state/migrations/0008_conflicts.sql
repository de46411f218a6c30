-- The columns whose hashes a table of written keys holds, in their order.
create table unimig.written_columns (
    node text primary key,
    columns text[] not null
);
-- A column of a row, or with '' the row itself, that somebody edited in the target after a model wrote it.
create table unimig.conflict (
    node text not null,
    -- The row's key, as text.
    row_key jsonb not null,
    column_name text not null,
    -- Whose value stands now.
    resolution text not null check (resolution in ('ours', 'theirs')),
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now()
);
create unique index conflict_value on unimig.conflict (node, md5(row_key::text), column_name);
