-- name: numbered
with numbered as (
    -- Identities.
    select
        link.refobjid as table_id,
        link.refobjsubid as number,
        link.objid as sequence_id
    from pg_depend as link
    where link.classid = 'pg_class'::regclass
        and link.refclassid = 'pg_class'::regclass
        and link.deptype = 'i'
    union
    -- Defaults that draw from a sequence.
    select
        value.adrelid,
        value.adnum,
        link.refobjid
    from pg_attrdef as value
    join pg_depend as link on link.classid = 'pg_attrdef'::regclass
        and link.objid = value.oid
        and link.refclassid = 'pg_class'::regclass
        and link.refobjid <> value.adrelid
)
select
    sequence_space.nspname::text as sequence_schema,
    sequence.relname::text as sequence_name,
    space.nspname::text as table_schema,
    class.relname::text as table_name,
    attribute.attname::text as column_name,
    settings.seqincrement > 0 as ascends
from numbered
join pg_class as sequence on sequence.oid = numbered.sequence_id
    and sequence.relkind = 'S'
join pg_namespace as sequence_space on sequence_space.oid = sequence.relnamespace
join pg_sequence as settings on settings.seqrelid = sequence.oid
join pg_class as class on class.oid = numbered.table_id
join pg_namespace as space on space.oid = class.relnamespace
join pg_attribute as attribute on attribute.attrelid = class.oid
    and attribute.attnum = numbered.number
-- Other tables that draw from a sequence of the tables asked for have their say, too.
where numbered.sequence_id in (
    select mine.sequence_id
    from numbered as mine
    join unnest($1::text[]) as asked (name) on to_regclass(asked.name) = mine.table_id
)
order by
    1,
    2,
    3,
    4,
    5

-- name: state
select
    found.furthest::text as furthest,
    case when sequence.is_called then sequence.last_value + settings.seqincrement else sequence.last_value end::text
        as next_value,
    coalesce(
        {% if ascends %}found.furthest >={% else %}found.furthest <={% endif %}

            case when sequence.is_called then sequence.last_value::numeric + settings.seqincrement else sequence.last_value end,
        false
    ) as is_behind,
    coalesce(
        {% if ascends %}found.furthest > settings.seqmax - settings.seqincrement{% else %}found.furthest < settings.seqmin - settings.seqincrement{% endif %},
        false
    ) as is_exhausted
from {{ sequence }} as sequence
join pg_sequence as settings on settings.seqrelid = {{ name }}::regclass
cross join (
    select {% if ascends %}greatest{% else %}least{% endif %}(
{% for column in columns %}
        (select {% if ascends %}max{% else %}min{% endif %}({{ column.name }}) from {{ column.table }})::numeric{% if not loop.last %},{% endif %}

{% endfor %}
    ) as furthest
) as found

-- name: draw
select count(nextval({{ name }}::regclass))
from generate_series(
    1,
    (
        select ceil(abs({{ furthest }} - last_value) / abs(seqincrement))::bigint
            + case when is_called then 0 else 1 end
        from {{ sequence }}
        join pg_sequence on seqrelid = {{ name }}::regclass
    )
)

-- name: distance
select abs({{ furthest }} - last_value) / abs(seqincrement) > 10000 as is_far
from {{ sequence }}
join pg_sequence on seqrelid = {{ name }}::regclass

-- name: set
select setval({{ name }}::regclass, {{ furthest }})
