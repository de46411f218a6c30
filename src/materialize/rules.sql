-- name: will
(
    select
        plain.*{% for column in computed %},
        ({{ column.expression }})::{{ column.data_type }} as {{ column.name }}{% endfor %}

    from (
        select
            change.ctid as _unimig_place,
            change._unimig_is_new{% for column in columns %},
{% if column.is_given %}
            change.{{ column.name }}{% elif column.expression %}
            case
                when change._unimig_is_new then ({{ column.expression }})::{{ column.data_type }}
                else target.{{ column.name }}
            end as {{ column.name }}{% else %}
            target.{{ column.name }}{% endif %}{% endfor %}

        from pg_temp.unimig_change as change
        left join {{ target }} as target on not change._unimig_is_new
            and {{ keys | matching("target", "change") }}
    ) as plain
)

-- name: note
insert into pg_temp.unimig_fault (
    place,
    row_key,
    column_name,
    rule,
    constraint_name,
    sqlstate,
    raw_value
)
select
    change.ctid,
    jsonb_build_object(
{% for key in keys %}
        {{ key.text }}, change.{{ key.name }}::text{% if not loop.last %},{% endif %}

{% endfor %}
    ),
    {{ columns }},
    {{ rule }},
    {{ constraint }},
    {{ sqlstate }},
    found.raw_value
from (
{{ found }}
) as found
join pg_temp.unimig_change as change on change.ctid = found.place

-- name: not_null
    select
        change.ctid as place,
        null::text as raw_value
    from pg_temp.unimig_change as change
    where change.{{ column }} is null

-- name: required
    select
        change.ctid as place,
        null::text as raw_value
    from pg_temp.unimig_change as change
    where change._unimig_is_new

-- name: check
    select
        _unimig_place as place,
        {{ value }} as raw_value
    from {{ will }} as {{ alias }}
    where ({{ expression }}) is false

-- name: unique
    with candidate as (
        select
            _unimig_place as place,
            _unimig_is_new as is_new,
            {{ value }} as raw_value{% for key in keys %},
            {{ key.name }} as row_key_{{ key.number }}{% endfor %}{% for part in parts %},
            {{ part.expression }} as part_{{ part.number }}{% endfor %}

        from {{ will }} as {{ alias }}
        where {% if predicate %}({{ predicate }}){% else %}true{% endif %}

    ),
    ranked as (
        select
            candidate.*,
            row_number() over (
                partition by {% for part in parts %}part_{{ part.number }}, {% endfor %}true
                order by is_new{% for key in keys %}, row_key_{{ key.number }}{% endfor %}

            ) as rank
        from candidate
{% if not nulls_collide %}
        where num_nulls({% for part in parts %}part_{{ part.number }}{% if not loop.last %}, {% endif %}{% endfor %}) = 0
{% endif %}
    )
    select
        ranked.place,
        ranked.raw_value
    from ranked
    where ranked.rank > 1
    union
    select
        ranked.place,
        ranked.raw_value
    from ranked
    join (
        select
            {{ key_list | inline }}{% for part in parts %},
            {{ part.expression }} as part_{{ part.number }}{% endfor %}

        from {{ target }} as {{ alias }}
        where {% if predicate %}({{ predicate }}){% else %}true{% endif %}

    ) as other on {% for part in parts %}other.part_{{ part.number }} {% if nulls_collide %}is not distinct from{% else %}={% endif %} ranked.part_{{ part.number }}{% if not loop.last %} and {% endif %}{% endfor %}

    -- Rows that this run replaces give their value up.
    where not exists (
        select
        from pg_temp.unimig_change as replaced
        where not replaced._unimig_is_new
            and {{ key_list | matching("replaced", "other") }}
    )

-- name: reference
    select
        will._unimig_place as place,
        {{ value }} as raw_value
    from {{ will }} as will
    where {% if is_full %}num_nulls({{ child | inline("will") }}) < {{ child | length }}{% else %}num_nulls({{ child | inline("will") }}) = 0{% endif %}

        and not exists (
            select
            from {{ parent }} as parent
            where {% for pair in pairs %}parent.{{ pair.parent }} = will.{{ pair.child }}{% if not loop.last %} and {% endif %}{% endfor %}

        )
{% if is_own %}
        and not exists (
            select
            from {{ will }} as fellow
            where {% for pair in pairs %}fellow.{{ pair.parent }} = will.{{ pair.child }}{% if not loop.last %} and {% endif %}{% endfor %}

        )
{% endif %}

-- name: take_out
delete from pg_temp.unimig_change as change
using (select distinct place from pg_temp.unimig_fault where place is not null) as fault
where change.ctid = fault.place

-- name: counts
select
    rule,
    column_name,
    constraint_name,
    count(*) as faults,
    (array_agg(row_key::text order by row_key))[1:3] as some_keys
from pg_temp.unimig_fault
group by
    rule,
    column_name,
    constraint_name
order by
    rule,
    column_name,
    constraint_name

-- name: count_rows
select count(distinct row_key)
from pg_temp.unimig_fault

-- name: remember
insert into unimig.quarantine (
    node,
    row_key,
    column_name,
    rule,
    constraint_name,
    sqlstate,
    raw_value
)
select distinct on (row_key, column_name)
    {{ node }},
    row_key,
    column_name,
    rule,
    constraint_name,
    sqlstate,
    raw_value
from pg_temp.unimig_fault
order by
    row_key,
    column_name,
    rule,
    constraint_name
on conflict (node, md5(row_key::text), column_name) do update set
    rule = excluded.rule,
    constraint_name = excluded.constraint_name,
    sqlstate = excluded.sqlstate,
    raw_value = excluded.raw_value,
    batch_id = null,
    last_seen_at = now()
