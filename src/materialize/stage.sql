-- name: create_table
create table {{ staging }} (
{% for column in columns %}
    {{ column.name }} {{ column.data_type }},
{% endfor %}
    _inserted_at timestamptz not null default now(),
    _updated_at timestamptz not null default now(),
    _deleted_at timestamptz,
    _batch_id bigint not null default {{ batch_id }}
)

-- name: mark_table
comment on table {{ staging }} is {{ mark }}

-- name: empty_for_freeze
truncate {{ staging }};
alter table {{ staging }} drop constraint if exists {{ primary_key }};
alter table {{ staging }} alter column _batch_id set default {{ batch_id }}

-- name: copy_freeze
copy {{ staging }} (
{{ names | lines }}
)
from stdin (format csv, header match, freeze true)

-- name: bury_first_load
update {{ staging }} as incoming set
    _deleted_at = now()
where {{ gone }}

-- name: newly_gone
select count(*)
from {{ staging }}
where _batch_id = {{ batch_id }}
    and _deleted_at = now()
    and _inserted_at <> now()

-- name: create_swept
create temporary table unimig_swept (
{% for column in columns %}
    {{ column.name }} {{ column.data_type }}{% if not loop.last %},{% endif %}

{% endfor %}
) on commit drop

-- name: copy_swept
copy pg_temp.unimig_swept (
{{ names | lines }}
)
from stdin (format csv, header match)

-- name: analyze_swept
analyze pg_temp.unimig_swept

-- name: bury_swept
update {{ staging }} as staging set
    _updated_at = now(),
    _deleted_at = now(),
    _batch_id = {{ batch_id }}
where staging._deleted_at is null
    and not exists (
        select
        from pg_temp.unimig_swept as swept
        where {{ keys | matching("swept", "staging") }}
    )

-- name: unknown_swept
select count(*)
from pg_temp.unimig_swept as swept
where not exists (
    select
    from {{ staging }} as staging
    where {{ keys | matching("staging", "swept") }}
{% if not marks_deleted %}
        and staging._deleted_at is null
{% endif %}
)

-- name: live_rows
select count(*)
from {{ staging }}
where _deleted_at is null

-- name: finish_first_load
{% if has_key %}
alter table {{ staging }} add constraint {{ primary_key }} primary key ({{ keys | inline }});
{% endif %}
alter table {{ staging }} alter column _batch_id drop default;
analyze {{ staging }}

-- name: add_column
alter table {{ staging }} add column {{ column.name }} {{ column.data_type }}

-- name: create_view
create or replace view {{ live }} as
select
{{ live_names | lines }}
from {{ staging }}
where _deleted_at is null

-- name: mark_view
comment on view {{ live }} is {{ mark }}

-- name: create_incoming
create temporary table unimig_incoming (
{% for column in columns %}
    {{ column.name }} {{ column.data_type }}{% if not loop.last %},{% endif %}

{% endfor %}
) on commit drop

-- name: copy_incoming
copy pg_temp.unimig_incoming (
{{ names | lines }}
)
from stdin (format csv, header match)

-- name: analyze_incoming
-- Statements join by the key, and look at no other column but to compare it.
analyze pg_temp.unimig_incoming{% if has_key %} ({{ keys | inline }}){% endif %}


-- name: has_bad_keys
select exists (
    select
    from pg_temp.unimig_incoming
    group by {{ keys | inline }}
    having count(*) > 1
        or num_nulls({{ keys | inline }}) > 0
)

-- name: differs
{%- if exact -%}
row({% for column in exact %}staging.{{ column.name }}{% if column.is_text %} collate "C"{% endif %}{% if not loop.last %}, {% endif %}{% endfor %}) is distinct from row({% for column in exact %}incoming.{{ column.name }}{% if not loop.last %}, {% endif %}{% endfor %})
{%- endif -%}
{%- if exact and others %}

        or {% endif -%}
{%- if others -%}
row({{ others | inline("staging") }})::record *<> row({{ others | inline("incoming") }})::record
{%- endif -%}
{%- if not exact and not others -%}
false
{%- endif -%}

-- name: turned_back
select count(*)
from {{ staging }} as staging
left join pg_temp.unimig_incoming as incoming on {{ keys | matching("staging", "incoming") }}
cross join lateral (select num_nonnulls({{ keys | inline("incoming") }}) > 0 as is_in_batch) as looked_up
where staging._batch_id > {{ old_batch_id }}
    and case
        when looked_up.is_in_batch then
            staging._deleted_at is not null
            or {{ differs }}
{% if buries %}
        else staging._deleted_at is null
{% else %}
        else false
{% endif %}
    end

-- name: merge
merge into {{ staging }} as staging
using pg_temp.unimig_incoming as incoming
    on {{ keys | matching("staging", "incoming") }}
when matched
    and (
{% if gone %}
        (staging._deleted_at is not null) <> {{ gone }}
{% else %}
        staging._deleted_at is not null
{% endif %}
        or {{ differs }}
    )
then update set
{{ names | setting("incoming") }},
    _updated_at = now(),
{% if gone %}
    _deleted_at = case when {{ gone }} then coalesce(staging._deleted_at, now()) end,
{% else %}
    _deleted_at = null,
{% endif %}
    _batch_id = {{ batch_id }}
when not matched then insert (
{{ names | lines }},
    _inserted_at,
    _updated_at,
    _deleted_at,
    _batch_id
)
values (
{{ names | lines("incoming") }},
    now(),
    now(),
{% if gone %}
    case when {{ gone }} then now() end,
{% else %}
    null,
{% endif %}
    {{ batch_id }}
)

-- name: merged_rows
-- No condition on the batch: how many rows it wrote is what the planner would guess wrongly.
select
    count(*) filter (where staging._batch_id = {{ batch_id }}) as found,
    count(*) filter (
        where staging._batch_id = {{ batch_id }}
            and not ({{ differs }})
    ) as equal
from {{ staging }} as staging
join pg_temp.unimig_incoming as incoming on {{ keys | matching("staging", "incoming") }}

-- name: newest_of_batch
select greatest(
{{ times | lines }}
)::text
from {{ staging }}
where _batch_id = {{ batch_id }}
order by 1 desc nulls last
limit 1

-- name: bury
update {{ staging }} as staging set
    _updated_at = now(),
    _deleted_at = now(),
    _batch_id = {{ batch_id }}
where staging._deleted_at is null
{% if within %}
    and {{ within }}
{% endif %}
    and not exists (
        select
        from pg_temp.unimig_incoming as incoming
        where {{ keys | matching("incoming", "staging") }}
    )

-- name: rows_written
select
    pg_stat_get_xact_tuples_inserted({{ staging_name }}::regclass)::bigint as inserted,
    pg_stat_get_xact_tuples_updated({{ staging_name }}::regclass)::bigint as updated
