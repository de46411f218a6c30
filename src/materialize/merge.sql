-- name: create_staged
create temporary table {{ given_name }} (
{% for column in columns %}
    {{ column.name }} {{ column.held_as }}{% if not loop.last %},{% endif %}

{% endfor %}
) on commit drop

-- name: fill_staged
insert into pg_temp.{{ given_name }} (
{{ columns | map(attribute="name") | lines }}
)

-- name: analyze_staged
analyze pg_temp.{{ given_name }}

-- name: bad_keys
select
    array[{{ keys | inline_text }}] as key_values,
    count(*) as occurrences
from pg_temp.unimig_staged
group by {{ keys | inline }}
having count(*) > 1
    or num_nulls({{ keys | inline }}) > 0
order by
    occurrences desc,
    key_values
limit 11

-- name: create_written
create table if not exists {{ written }} (
{% for key in key_columns %}
    {{ key.name }} {{ key.data_type }} not null,
{% endfor %}
    _inserted_at timestamptz not null default now(),
    _deleted_at timestamptz,
    _hashes bigint[],
    primary key ({{ keys | inline }})
)

-- name: carry_keys_over
create temporary table unimig_carried on commit drop as
select
{{ keys | lines("target") }},
    written._inserted_at,
    written._deleted_at,
    written._hashes
from {{ written }} as written
join {{ target }} as target on {{ old_keys | matching("target", "written") }}
where num_nulls({{ keys | inline("target") }}) = 0

-- name: keep_carried_keys
insert into {{ written }} (
{{ keys | lines }},
    _inserted_at,
    _deleted_at,
    _hashes
)
select
{{ keys | lines }},
    _inserted_at,
    _deleted_at,
    _hashes
from pg_temp.unimig_carried
on conflict do nothing

-- name: forget_keys
drop table {{ written }}

-- name: add_hashes
alter table {{ written }} add column if not exists _hashes bigint[]

-- name: mark_written
comment on table {{ written }} is {{ mark }}

-- name: find_changes
create temporary table unimig_change on commit drop as
select
{{ inserts | lines("staged") }},
    target.{{ first_key }} is null as _unimig_is_new
from pg_temp.unimig_staged as staged
left join {{ target }} as target on {{ keys | matching("target", "staged") }}
where target.{{ first_key }} is null
{% if updates %}
    or row({{ updates | inline("target") }})::record
        *<> row({{ updates | inline("staged") }})::record
{% endif %}

-- name: leave_open
update pg_temp.unimig_change as change set
{% for pair in pairs %}
    {{ pair.child }} = null{% if not loop.last %},{% endif %}

{% endfor %}
where change._unimig_is_new
    and num_nulls({{ child | inline("change") }}) = 0
    and not exists (
        select
        from {{ parent }} as parent
        where {% for pair in pairs %}parent.{{ pair.parent }} = change.{{ pair.child }}{% if not loop.last %} and {% endif %}{% endfor %}

    );
update pg_temp.unimig_change as change set
{% for pair in pairs %}
    {{ pair.child }} = target.{{ pair.child }}{% if not loop.last %},{% endif %}

{% endfor %}
from {{ target }} as target
where not change._unimig_is_new
    and {{ keys | matching("target", "change") }}
    and num_nulls({{ child | inline("change") }}) = 0
    and not exists (
        select
        from {{ parent }} as parent
        where {% for pair in pairs %}parent.{{ pair.parent }} = change.{{ pair.child }}{% if not loop.last %} and {% endif %}{% endfor %}

    )

-- name: analyze_changes
analyze pg_temp.unimig_change

-- name: write
with updated as (
{% if updates %}
    update {{ target }} as target set
{{ updates | setting("change") }}
    from pg_temp.unimig_change as change
    where not change._unimig_is_new
        and {{ keys | matching("target", "change") }}
        and row({{ updates | inline("target") }})::record
            *<> row({{ updates | inline("change") }})::record
    returning 1
{% else %}
    select 1 limit 0
{% endif %}
),
inserted as (
    insert into {{ target }} (
{{ inserts | lines }}
    )
{% if overriding %}
    overriding system value
{% endif %}
    select
{{ inserts | lines }}
    from pg_temp.unimig_change
    where _unimig_is_new
        -- A value of a unique index may go from an old row to a new one.
        and (select count(*) from updated) >= 0
    returning 1
)
select
    (select count(*) from inserted) as inserted,
    (select count(*) from updated) as updated

-- name: revive
with back as (
    select
{{ keys | lines("written") }},
        written._deleted_at
    from {{ written }} as written
    join pg_temp.unimig_staged as staged on {{ keys | matching("staged", "written") }}
    where written._deleted_at is not null
),
forgotten as (
    update {{ written }} as written set
        _deleted_at = null
    from back
    where {{ keys | matching("written", "back") }}
)
update {{ target }} as target set
    {{ deleted_column }} = null
from back
where {{ keys | matching("target", "back") }}
    and target.{{ deleted_column }} = back._deleted_at::{{ deleted_type }}

-- name: delete_soft
with gone as (
    update {{ target }} as target set
        {{ deleted_column }} = now()
    from {{ written }} as written
    where {{ keys | matching("target", "written") }}
        and target.{{ deleted_column }} is null
        and not exists (
            select
            from pg_temp.unimig_staged as staged
            where {{ keys | matching("staged", "written") }}
        )
{% if is_loose %}
        and not exists (
            select
            from pg_temp.unimig_bad_key as bad
            where {{ keys | matching("bad", "written") }}
        )
{% endif %}
    returning {{ keys | inline("target") }}
)
update {{ written }} as written set
    _deleted_at = now()
from gone
where {{ keys | matching("written", "gone") }}

-- name: delete_hard
with gone as (
    delete from {{ written }} as written
    where not exists (
        select
        from pg_temp.unimig_staged as staged
        where {{ keys | matching("staged", "written") }}
    )
{% if is_loose %}
    and not exists (
        select
        from pg_temp.unimig_bad_key as bad
        where {{ keys | matching("bad", "written") }}
    )
{% endif %}
    returning {{ keys | inline("written") }}
)
delete from {{ target }} as target
using gone
where {{ keys | matching("target", "gone") }}
