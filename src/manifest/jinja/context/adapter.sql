-- name: columns_in_relation
select
    attribute.attname::text as name,
    format_type(attribute.atttypid, null) as dtype,
    format_type(attribute.atttypid, attribute.atttypmod) as data_type,
    case
        when attribute.atttypid in ('varchar'::regtype, 'bpchar'::regtype) and attribute.atttypmod > 4
            then attribute.atttypmod - 4
    end as char_size,
    case
        when attribute.atttypid = 'numeric'::regtype and attribute.atttypmod > 0
            then ((attribute.atttypmod - 4) >> 16) & 65535
    end as numeric_precision,
    case
        when attribute.atttypid = 'numeric'::regtype and attribute.atttypmod > 0
            then (attribute.atttypmod - 4) & 2047
    end as numeric_scale
from pg_attribute as attribute
join pg_class as class on class.oid = attribute.attrelid
join pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = {{ schema }}
    and class.relname = {{ name }}
    and attribute.attnum > 0
    and not attribute.attisdropped
order by attribute.attnum

-- name: relations
select
    namespace.nspname::text as schema_name,
    class.relname::text as name,
    case class.relkind
        when 'v' then 'view'
        when 'm' then 'materialized_view'
        when 'f' then 'external'
        else 'table'
    end as kind
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = {{ schema }}
{% if name is defined %}
    and class.relname = {{ name }}
{% endif %}
    and class.relkind in ('r', 'p', 'v', 'm', 'f')
order by class.relname

-- name: schemas
select nspname::text as name
from pg_namespace
order by nspname

-- name: create_schema
create schema if not exists {{ schema }}

-- name: no_rows
select *
from (
{{ select }}
) as query
limit 0
