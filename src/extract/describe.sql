-- name: table_columns
select
    attribute.attname::text as name,
    attribute.atttypid as type_id,
    attribute.atttypmod as type_modifier,
    class.oid as table_id,
    attribute.attnum as number
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_attribute as attribute on attribute.attrelid = class.oid
where namespace.nspname = $1
    and class.relname = $2
    and class.relkind in ('r', 'p', 'v', 'm', 'f')
    and attribute.attnum > 0
    and not attribute.attisdropped
order by attribute.attnum

-- name: nearest_tables
select class.relname::text
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
    and class.relkind in ('r', 'p', 'v', 'm', 'f')

-- name: tables
select class.relname::text
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
    and class.relkind in ('r', 'p')
    and not class.relispartition
order by 1

-- name: settle_types
with recursive resolved as (
    select
        given.place,
        given.type_id,
        given.type_modifier,
        given.type_id as base_id,
        given.type_modifier as base_modifier
    from unnest($1, $2) with ordinality as given (type_id, type_modifier, place)
    union all
    select
        resolved.place,
        resolved.type_id,
        resolved.type_modifier,
        domain.typbasetype,
        case when domain.typtypmod = -1 then resolved.base_modifier else domain.typtypmod end
    from resolved
    join pg_type as domain on domain.oid = resolved.base_id
    where domain.typtype = 'd'
)
select
    format_type(resolved.type_id, resolved.type_modifier) as data_type,
    case
        when is_array.yes and not portable.yes then 'text[]'
        when not portable.yes then 'text'
        else format_type(resolved.base_id, resolved.base_modifier)
    end as staged_type,
    extension.extname::text as extension,
    base.typname::text as type_name,
    (
        select array_agg(label.enumlabel::text order by label.enumsortorder)
        from pg_enum as label
        where label.enumtypid = element.oid
    ) as labels
from resolved
join pg_type as base on base.oid = resolved.base_id
cross join lateral (select base.typcategory = 'A' and base.typelem <> 0 as yes) as is_array
join pg_type as element on element.oid = case when is_array.yes then base.typelem else base.oid end
join pg_namespace as namespace on namespace.oid = element.typnamespace
cross join lateral (
    select
        namespace.nspname = 'pg_catalog'
        and element.typtype in ('b', 'r', 'm')
        and element.typname not like 'reg%' as yes
) as portable
left join pg_depend as membership on membership.classid = 'pg_type'::regclass
    and membership.objid = base.oid
    and membership.deptype = 'e'
left join pg_extension as extension on extension.oid = membership.refobjid
where base.typtype <> 'd'
order by resolved.place

-- name: extension_types
select
    extension.extname::text,
    type.typname::text,
    format_type(type.oid, null)
from pg_extension as extension
join pg_depend as membership on membership.refclassid = 'pg_extension'::regclass
    and membership.refobjid = extension.oid
    and membership.deptype = 'e'
    and membership.classid = 'pg_type'::regclass
join pg_type as type on type.oid = membership.objid
where extension.extname = any($1)
