-- name: create_raw
create temporary table unimig_raw (
    line bigint not null,
{% for place in places %}
    key_{{ place }} text not null,
{% endfor %}
    target_id text not null
) on commit drop

-- name: fill_raw
insert into pg_temp.unimig_raw
select *
from unnest($1::bigint[]{% for place in places %}, ${{ place + 1 }}::text[]{% endfor %}, ${{ last }}::text[])

-- name: create_typed
create temporary table unimig_typed on commit drop as
select
    line,
{% for key in typed_keys %}
    key_{{ loop.index }}::{{ key.data_type }} as {{ key.name }},
{% endfor %}
    target_id::{{ id_type }} as target_id
from pg_temp.unimig_raw

-- name: create_fits
create or replace function pg_temp.unimig_fits(raw text, data_type text) returns boolean
language plpgsql as $fits$
begin
    execute format('select %L::%s', raw, data_type);
    return true;
exception
    when data_exception or integrity_constraint_violation or feature_not_supported then
        return false;
end
$fits$

-- name: unfit
select line
from pg_temp.unimig_raw
where not (
    pg_temp.unimig_fits(target_id, {{ id_type_text }})
{% for key in typed_keys %}
    and pg_temp.unimig_fits(key_{{ loop.index }}, {{ key.data_type_text }})
{% endfor %}
)
order by line
limit 10

-- name: twice
select max(line) as line
from pg_temp.unimig_typed
group by {{ keys | inline }}
having count(distinct target_id) > 1
order by line
limit 10

-- name: contradicted
select min(typed.line) as line
from pg_temp.unimig_typed as typed
join {{ table }} as known on {{ keys | matching("known", "typed") }}
where known.target_id <> typed.target_id
group by typed.line
order by line
limit 10

-- name: shared
select max(line) as line
from (
    select line, target_id, {{ keys | inline }} from pg_temp.unimig_typed
    union all
    select 0, target_id, {{ keys | inline }} from {{ table }}
) as given
group by target_id
having count(distinct ({{ keys | inline }})) > 1
    and max(line) > 0
order by line
limit 10

-- name: keep
insert into {{ table }} (
{{ keys | lines }},
    target_id
)
select distinct on ({{ keys | inline }})
{{ keys | lines }},
    target_id
from pg_temp.unimig_typed
order by {{ keys | inline }}
on conflict ({{ keys | inline }}) do nothing

-- name: drop
drop table pg_temp.unimig_raw;
drop table pg_temp.unimig_typed

-- name: export
select
    member,
    source_key,
    target_id
from {{ union_view }}
order by
    member,
    target_id,
    source_key collate "C"
