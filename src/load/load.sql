-- name: staging_shape
select
    class.oid is not null as present,
    coalesce(class.relkind = 'r', false) as is_table,
    coalesce(obj_description(class.oid, 'pg_class'), '') as comment,
    coalesce(
        (
            select array_agg(attribute.attname::text order by attribute.attnum)
            from pg_attribute as attribute
            where attribute.attrelid = class.oid
                and attribute.attnum > 0
                and not attribute.attisdropped
        ),
        '{}'
    ) as names,
    coalesce(
        (
            select array_agg(
                format_type(attribute.atttypid, attribute.atttypmod) order by attribute.attnum
            )
            from pg_attribute as attribute
            where attribute.attrelid = class.oid
                and attribute.attnum > 0
                and not attribute.attisdropped
        ),
        '{}'
    ) as types,
    {% include "shared/primary_key" %} as primary_key,
    live.relkind::text as live_kind,
    coalesce(obj_description(live.oid, 'pg_class'), '') as live_comment
from (values (true)) as always (yes)
left join pg_class as class on class.relname = $2
    and class.relnamespace = (select oid from pg_namespace where nspname = $1)
left join pg_class as live on live.relname = $3
    and live.relnamespace = (select oid from pg_namespace where nspname = $1)

-- name: has_rows
select exists (select from {{ staging }})
