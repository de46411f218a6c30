-- name: create_difference
create temporary table unimig_difference on commit drop as
select
    coalesce(incoming.image, staging.image) as image,
    coalesce(incoming.copies, 0) - coalesce(staging.copies, 0) as surplus
from (
    select
        row({{ names | inline }})::text collate "C" as image,
        count(*) as copies
    from pg_temp.unimig_incoming
    group by image
) as incoming
full join (
    select
        row({{ names | inline }})::text collate "C" as image,
        count(*) as copies
    from {{ staging }}
    where _deleted_at is null
    group by image
) as staging on staging.image = incoming.image
where incoming.copies is distinct from staging.copies

-- name: analyze_difference
analyze pg_temp.unimig_difference

-- name: surplus
select
    coalesce(sum(surplus) filter (where surplus > 0), 0)::bigint as missing,
    coalesce(-sum(surplus) filter (where surplus < 0), 0)::bigint as too_many
from pg_temp.unimig_difference

-- name: insert_missing
insert into {{ staging }} (
{{ names | lines }},
    _inserted_at,
    _updated_at,
    _batch_id
)
select
{{ names | lines("incoming") }},
    now(),
    now(),
    {{ batch_id }}
from (
    select
        unnumbered.ctid as place,
        difference.surplus,
        row_number() over (partition by difference.image) as number
    from pg_temp.unimig_incoming as unnumbered
    join pg_temp.unimig_difference as difference
        on difference.image = row({{ names | inline("unnumbered") }})::text collate "C"
    where difference.surplus > 0
) as numbered
join pg_temp.unimig_incoming as incoming on incoming.ctid = numbered.place
where numbered.number <= numbered.surplus

-- name: bury_too_many
update {{ staging }} as staging set
    _updated_at = now(),
    _deleted_at = now(),
    _batch_id = {{ batch_id }}
from (
    select
        live.ctid as place,
        difference.surplus,
        row_number() over (partition by difference.image order by live._inserted_at desc) as number
    from {{ staging }} as live
    join pg_temp.unimig_difference as difference
        on difference.image = row({{ names | inline("live") }})::text collate "C"
    where live._deleted_at is null
        and difference.surplus < 0
) as numbered
where staging.ctid = numbered.place
    and numbered.number <= -numbered.surplus

-- name: written_later
select count(*)
from {{ staging }}
where _batch_id > {{ old_batch_id }}
