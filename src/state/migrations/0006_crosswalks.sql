-- What joined two keys of a crosswalk: a rule by its name, or a verdict.
create table unimig.crosswalk_link (
    crosswalk text not null,
    left_member text not null,
    left_key text not null,
    right_member text not null,
    right_key text not null,
    -- NULL for a verdict of people.
    rule text,
    linked_at timestamptz not null default now(),
    primary key (crosswalk, left_member, left_key, right_member, right_key)
);
create index on unimig.crosswalk_link (crosswalk, right_member, right_key);
-- Ids that a verdict changed.
create table unimig.crosswalk_change (
    crosswalk text not null,
    member text not null,
    source_key text not null,
    old_id text not null,
    new_id text not null,
    changed_at timestamptz not null default now()
);
create index on unimig.crosswalk_change (crosswalk, new_id);
