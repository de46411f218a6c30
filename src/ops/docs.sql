-- name: tables
select
    namespace.nspname as schema_name,
    class.relname as table_name,
    case class.relkind
        when 'v' then 'VIEW'
        when 'm' then 'MATERIALIZED VIEW'
        when 'f' then 'FOREIGN TABLE'
        else 'BASE TABLE'
    end as kind,
    pg_get_userbyid(class.relowner)::text as owner,
    obj_description(class.oid, 'pg_class') as comment,
    case
        when class.relkind in ('r', 'm', 'p') and class.reltuples >= 0 then class.reltuples::bigint
    end as row_estimate,
    case
        when class.relkind in ('r', 'm') then pg_total_relation_size(class.oid)
        else 0
    end as size_bytes,
    (
        select array_agg(attribute.attname::text order by attribute.attnum)
        from pg_attribute as attribute
        where attribute.attrelid = class.oid
            and attribute.attnum > 0
            and not attribute.attisdropped
    ) as column_names,
    (
        select array_agg(format_type(attribute.atttypid, attribute.atttypmod) order by attribute.attnum)
        from pg_attribute as attribute
        where attribute.attrelid = class.oid
            and attribute.attnum > 0
            and not attribute.attisdropped
    ) as column_types,
    (
        select array_agg(col_description(class.oid, attribute.attnum) order by attribute.attnum)
        from pg_attribute as attribute
        where attribute.attrelid = class.oid
            and attribute.attnum > 0
            and not attribute.attisdropped
    ) as column_comments
from unnest($1::text[], $2::text[]) as wanted (schema_name, table_name)
join pg_namespace as namespace on namespace.nspname = wanted.schema_name
join pg_class as class
    on class.relnamespace = namespace.oid
    and class.relname = wanted.table_name
where class.relkind in ('r', 'p', 'v', 'm', 'f')
