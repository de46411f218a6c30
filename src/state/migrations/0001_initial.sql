-- What unimig remembers. Losing it costs a full read of each source, and that rows which were inserted before are never
-- deleted again by a model's deletes.
create table unimig.schema_version (
    version integer primary key,
    applied_at timestamptz not null default now(),
    tool_version text not null
);

create table unimig.run (
    run_id uuid primary key,
    command text not null,
    operator text not null,
    host text not null,
    tool_version text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    status text not null default 'running'
        check (status in ('running', 'success', 'failed', 'interrupted'))
);

create table unimig.step (
    run_id uuid not null,
    node text not null,
    status text not null
        check (status in ('success', 'unchanged', 'failed', 'skipped', 'cancelled', 'pass', 'warn', 'fail')),
    started_at timestamptz not null,
    finished_at timestamptz not null default clock_timestamp(),
    rows_inserted bigint not null default 0,
    rows_updated bigint not null default 0,
    rows_deleted bigint not null default 0,
    message text,
    primary key (run_id, node)
);

-- A batch that is in staging; one that was extracted and never loaded has no row here.
create table unimig.batch (
    node text not null,
    batch_id bigint not null,
    run_id uuid not null,
    kind text not null check (kind in ('full', 'window')),
    layer_url text not null,
    source_clock timestamptz not null,
    -- Null where the source does not show it: the next batch is then a full one.
    oldest_transaction_at timestamptz,
    window_lower timestamptz,
    -- Of what decides which rows a batch holds and how they look; a window after a change of it would mix two kinds.
    extraction_digest text not null,
    rows_extracted bigint not null,
    rows_inserted bigint not null,
    rows_updated bigint not null,
    rows_deleted bigint not null,
    loaded_at timestamptz not null default now(),
    primary key (node, batch_id)
);

-- The newest batch of each parent that a model's last merge has seen.
create table unimig.consumed (
    model text not null,
    parent text not null,
    batch_id bigint not null,
    merged_at timestamptz not null default now(),
    primary key (model, parent)
);
