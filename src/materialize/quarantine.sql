-- name: create_raw
create temporary table unimig_raw (
{% for column in columns %}
    {{ column.name }} text{% if not loop.last %},{% endif %}

{% endfor %}
) on commit drop

-- name: copy_raw
copy pg_temp.unimig_raw (
{{ names | lines }}
)
from stdin (format csv, header true, encoding 'LATIN1')

-- name: create_functions
{% for column in columns %}
create or replace function pg_temp.unimig_take_{{ loop.index }}(raw text) returns {{ column.data_type }}
language plpgsql as $take$
declare
    taken {{ column.data_type }};
begin
    taken := convert_from(convert_to(raw, 'LATIN1'), 'UTF8');
    return taken;
end
$take$;
create or replace function pg_temp.unimig_fault_{{ loop.index }}(raw text) returns text
language plpgsql as $fault$
begin
    perform pg_temp.unimig_take_{{ loop.index }}(raw);
    return null;
exception
    when data_exception or integrity_constraint_violation or feature_not_supported then
        return sqlstate;
end
$fault$;
{% endfor %}

-- name: drop_functions
{% for column in columns %}
drop function pg_temp.unimig_fault_{{ loop.index }}(text);
drop function pg_temp.unimig_take_{{ loop.index }}(text);
{% endfor %}

-- name: find_refused
create temporary table unimig_refused on commit drop as
select
    raw.ctid as place,
    fault.number,
    fault.sqlstate
from pg_temp.unimig_raw as raw
cross join lateral (
    values
{% for column in columns %}
        ({{ loop.index }}, pg_temp.unimig_fault_{{ loop.index }}(raw.{{ column.name }})){% if not loop.last %},{% endif %}

{% endfor %}
) as fault (number, sqlstate)
where fault.sqlstate is not null

-- name: count_refused
select count(distinct place)
from pg_temp.unimig_refused

-- name: take_good
insert into {{ into }} (
{{ names | lines }}
)
select
{% for column in columns %}
    pg_temp.unimig_take_{{ loop.index }}(raw.{{ column.name }}){% if not loop.last %},{% endif %}

{% endfor %}
from pg_temp.unimig_raw as raw
where not exists (
    select
    from pg_temp.unimig_refused as refused
    where refused.place = raw.ctid
)

-- name: keep_live
create temporary table unimig_refused_key on commit drop as
select
{% for key in key_columns %}
    pg_temp.unimig_take_{{ key.number }}(raw.{{ key.name }}) as {{ key.name }}{% if not loop.last %},{% endif %}

{% endfor %}
from pg_temp.unimig_raw as raw
where exists (
        select
        from pg_temp.unimig_refused as refused
        where refused.place = raw.ctid
    )
    and not exists (
        select
        from pg_temp.unimig_refused as refused
        where refused.place = raw.ctid
            and refused.number in ({% for key in key_columns %}{{ key.number }}{% if not loop.last %}, {% endif %}{% endfor %})
    );
insert into pg_temp.unimig_incoming (
{{ names | lines }}
)
select
{{ names | lines("staging") }}
from {{ staging }} as staging
where staging._deleted_at is null
    and exists (
        select
        from pg_temp.unimig_refused_key as refused
        where {{ keys | matching("refused", "staging") }}
    )

-- name: remember
insert into unimig.quarantine (
    node,
    row_key,
    column_name,
    sqlstate,
    raw_value,
    batch_id
)
select distinct on (refused.row_key, refused.column_name)
    {{ node }},
    refused.row_key,
    refused.column_name,
    refused.sqlstate,
    refused.raw_value,
    {{ batch_id }}
from (
    select
        jsonb_build_object(
{% for key in key_columns %}
            {{ key.text }},
            case
                when pg_temp.unimig_fault_{{ key.number }}(raw.{{ key.name }}) is null
                    then pg_temp.unimig_take_{{ key.number }}(raw.{{ key.name }})::text
                else raw.{{ key.name }}
            end{% if not loop.last %},{% endif %}

{% endfor %}
        ) as row_key,
        value.name as column_name,
        refused.sqlstate,
        value.raw as raw_value
    from pg_temp.unimig_refused as refused
    join pg_temp.unimig_raw as raw on raw.ctid = refused.place
    cross join lateral (
        values
{% for column in columns %}
            ({{ loop.index }}, {{ column.text }}, raw.{{ column.name }}){% if not loop.last %},{% endif %}

{% endfor %}
    ) as value (number, name, raw)
    where value.number = refused.number
) as refused
on conflict (node, md5(row_key::text), column_name) do update set
    sqlstate = excluded.sqlstate,
    raw_value = excluded.raw_value,
    batch_id = excluded.batch_id,
    last_seen_at = excluded.last_seen_at

-- name: insert_first
insert into {{ staging }} (
{{ names | lines }}
)
select
{{ names | lines }}
from pg_temp.unimig_incoming
