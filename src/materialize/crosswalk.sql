-- name: create_table
create table {{ table }} (
{% for key in typed_keys %}
    {{ key.name }} {{ key.data_type }} not null,
{% endfor %}
    target_id {{ id_type }} not null,
    _allocated_at timestamptz not null default now(),
    primary key ({{ keys | inline }})
);
create index on {{ table }} (target_id);
comment on table {{ table }} is {{ mark }}

-- name: retype
alter table {{ table }}
    alter column {{ column }} type {{ data_type }}

-- name: create_view
create or replace view {{ view }} as
select
{{ keys | lines }},
{% if single_key %}
    {{ single_key }} as source_key,
{% endif %}
    target_id
from {{ table }}

-- name: create_union
create or replace view {{ view }} as
{% for member in members %}
{% if not loop.first %}

union all
{% endif %}
select
    {{ member.name }}::text as member,
    {{ member.key_text }} as source_key,
    target_id
from {{ member.table }}
{% endfor %}

-- name: comment_view
comment on view {{ view }} is {{ mark }}

-- name: drop_view
drop view if exists {{ view }}

-- name: single_key_text
{{ key }}::text

-- name: composite_key_text
jsonb_build_array({{ keys | inline_text }})::text

-- name: keyless
select count(*)
from {{ live }}
where num_nulls({{ keys | inline }}) > 0

-- name: fresh
select {% if distinct %}distinct{% endif %}

{{ keys | lines("live") }}
from {{ live }} as live
where not exists (
        select
        from {{ table }} as known
        where {{ keys | matching("known", "live") }}
    )
{% for key in keys %}
    and live.{{ key }} is not null
{% endfor %}
order by {{ keys | inline("live") }}

-- name: allocate
insert into {{ table }} (
{{ keys | lines }},
    target_id
)
select
{{ keys | lines("fresh") }},
    ({{ new_id }})::{{ id_type }}
from (
{{ fresh }}
) as fresh
on conflict ({{ keys | inline }}) do nothing

-- name: from_sequence
nextval({{ sequence }})

-- name: from_key
fresh.{{ key }}::numeric + {{ offset }}

-- name: ranges
select
    member.place,
    min(member.id)::text as first,
    max(member.id)::text as last
from (
{% for member in members %}
{% if not loop.first %}
    union all
{% endif %}
    select {{ loop.index0 }} as place, {{ member.key }}::numeric + {{ member.offset }} as id from {{ member.live }}
    union all
    select {{ loop.index0 }}, {{ member.key }}::numeric + {{ member.offset }} from {{ member.table }}
{% endfor %}
) as member
where member.id is not null
group by member.place
order by member.place

-- name: create_natural
create temporary table unimig_natural on commit drop as
select
{{ keys | lines("live") }},
    ({{ value }})::{{ id_type }} as unimig_value
from {{ live }} as live
where num_nulls({{ keys | inline("live") }}) = 0

-- name: natural_twice
select count(*)
from (
    select
    from pg_temp.unimig_natural
    where unimig_value is not null
    group by unimig_value
    having count(*) > 1
) as twice

-- name: natural_missing
select count(*)
from pg_temp.unimig_natural as natural_id
where natural_id.unimig_value is null
    and not exists (
        select
        from {{ table }} as known
        where {{ keys | matching("known", "natural_id") }}
    )

-- name: allocate_natural
insert into {{ table }} (
{{ keys | lines }},
    target_id
)
select
{{ keys | lines("fresh") }},
    fresh.unimig_value
from pg_temp.unimig_natural as fresh
where fresh.unimig_value is not null
    and not exists (
        select
        from {{ table }} as known
        where {{ keys | matching("known", "fresh") }}
    )
order by {{ keys | inline("fresh") }}
on conflict ({{ keys | inline }}) do nothing

-- name: drop_natural
drop table pg_temp.unimig_natural

-- name: create_named
create temporary table unimig_fresh on commit drop as
select
    row_number() over (order by {{ keys | inline("fresh") }}) as unimig_place,
    fresh.*
from (
{{ fresh }}
) as fresh;
create index on pg_temp.unimig_fresh (unimig_place);
create temporary table unimig_named (
    unimig_place bigint primary key,
    id text not null
) on commit drop

-- name: names
select
    unimig_place,
    {{ key_text }} as key_text
from pg_temp.unimig_fresh
where unimig_place > $1
order by unimig_place
limit 100000

-- name: keep_names
insert into pg_temp.unimig_named (
    unimig_place,
    id
)
select
    place,
    id
from unnest($1::bigint[], $2::text[]) as named (place, id)

-- name: allocate_named
insert into {{ table }} (
{{ keys | lines }},
    target_id
)
select
{{ keys | lines("fresh") }},
    named.id::{{ id_type }}
from pg_temp.unimig_fresh as fresh
join pg_temp.unimig_named as named using (unimig_place)
on conflict ({{ keys | inline }}) do nothing

-- name: drop_named
drop table pg_temp.unimig_fresh;
drop table pg_temp.unimig_named

-- name: given_twice
select count(*)
from {{ table }} as fresh
join {{ other }} as other on other.target_id = fresh.target_id
where fresh._allocated_at = now()
{% if same %}
    and other.ctid <> fresh.ctid
{% endif %}

-- name: taken
select count(*)
from {{ table }} as fresh
join {{ target }} as target on target.{{ column }} = fresh.target_id
where fresh._allocated_at = now()

-- name: analyze
analyze {{ table }}
