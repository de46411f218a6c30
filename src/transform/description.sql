-- name: describe
select json_build_object(
    'extensions', coalesce(
        (
            select json_agg(extension.extname order by extension.extname)
            from pg_extension as extension
            where extension.extname <> 'plpgsql'
        ),
        '[]'
    ),
    'types', coalesce(
        (
            select json_agg(
                json_build_object(
                    'schema', namespace.nspname,
                    'name', type.typname,
                    'labels', case when type.typtype = 'e' then (
                        select json_agg(label.enumlabel order by label.enumsortorder)
                        from pg_enum as label
                        where label.enumtypid = type.oid
                    ) end,
                    'base', case
                        when type.typtype = 'd' then format_type(type.typbasetype, type.typtypmod)
                    end
                )
                order by type.typtype desc, namespace.nspname, type.typname
            )
            from pg_type as type
            join pg_namespace as namespace on namespace.oid = type.typnamespace
            where type.typtype in ('d', 'e')
                and namespace.nspname = any($1)
                and not exists (
                    select
                    from pg_depend as membership
                    where membership.classid = 'pg_type'::regclass
                        and membership.objid = type.oid
                        and membership.deptype = 'e'
                )
        ),
        '[]'
    ),
    'relations', coalesce(
        (
            select json_agg(
                json_build_object(
                    'schema', namespace.nspname,
                    'name', class.relname,
                    'kind', case class.relkind when 'v' then 'view' when 'm' then 'view' else 'table' end,
                    'columns', coalesce(columns.described, '[]'),
                    'primary_key', coalesce(keys.primary_key, '[]'),
                    'unique', coalesce(keys.uniques, '[]'),
                    'foreign_keys', coalesce(keys.foreign_keys, '[]')
                )
                order by namespace.nspname, class.relname
            )
            from pg_class as class
            join pg_namespace as namespace on namespace.oid = class.relnamespace
            left join lateral (
                select json_agg(
                    json_build_object(
                        'name', attribute.attname,
                        'type', format_type(attribute.atttypid, attribute.atttypmod),
                        'not_null', attribute.attnotnull,
                        'filled', case
                            when attribute.attgenerated <> '' then 'expression'
                            when attribute.attidentity = 'a' then 'identity always'
                            when attribute.attidentity = 'd' then 'identity by default'
                            when attribute.atthasdef then 'default'
                            else 'null'
                        end
                    )
                    order by attribute.attnum
                ) as described
                from pg_attribute as attribute
                where attribute.attrelid = class.oid
                    and attribute.attnum > 0
                    and not attribute.attisdropped
            ) as columns on true
            left join lateral (
                select
                    (json_agg(named.columns) filter (where reference.contype = 'p'))->0 as primary_key,
                    json_agg(named.columns order by reference.conname) filter (where reference.contype = 'u') as uniques,
                    json_agg(
                        json_build_object(
                            'columns', named.columns,
                            'schema', parent_namespace.nspname,
                            'table', parent.relname,
                            'references', named.referenced
                        )
                        order by reference.conname
                    ) filter (where reference.contype = 'f') as foreign_keys
                from pg_constraint as reference
                left join pg_class as parent on parent.oid = reference.confrelid
                left join pg_namespace as parent_namespace on parent_namespace.oid = parent.relnamespace
                cross join lateral (
                    select
                        (
                            select json_agg(attribute.attname order by key.place)
                            from unnest(reference.conkey) with ordinality as key (attnum, place)
                            join pg_attribute as attribute on attribute.attrelid = reference.conrelid
                                and attribute.attnum = key.attnum
                        ) as columns,
                        (
                            select json_agg(attribute.attname order by key.place)
                            from unnest(reference.confkey) with ordinality as key (attnum, place)
                            join pg_attribute as attribute on attribute.attrelid = reference.confrelid
                                and attribute.attnum = key.attnum
                        ) as referenced
                ) as named
                where reference.conrelid = class.oid
                    and reference.contype in ('p', 'u', 'f')
            ) as keys on true
            where class.relkind in ('r', 'p', 'v', 'm', 'f')
                and not class.relispartition
                and namespace.nspname = any($1)
                and not {% include "shared/is_of_an_extension" +%}
        ),
        '[]'
    ),
    'functions', coalesce(
        (
            select json_agg(
                json_build_object(
                    'schema', namespace.nspname,
                    'name', function.proname,
                    'arguments', pg_get_function_arguments(function.oid),
                    'result', pg_get_function_result(function.oid)
                )
                order by
                    namespace.nspname,
                    function.proname,
                    pg_get_function_arguments(function.oid)
            )
            from pg_proc as function
            join pg_namespace as namespace on namespace.oid = function.pronamespace
            where $2
                and function.prokind = 'f'
                and function.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
                and namespace.nspname = any($1)
                and not exists (
                    select
                    from pg_depend as membership
                    where membership.classid = 'pg_proc'::regclass
                        and membership.objid = function.oid
                        and membership.deptype = 'e'
                )
        ),
        '[]'
    )
)::text

-- name: user_schemas
select namespace.nspname::text
from pg_namespace as namespace
where namespace.nspname !~ '^pg_'
    and namespace.nspname not in ('information_schema', 'unimig')
order by namespace.nspname

-- name: shell_columns
select
    namespace.nspname::text as schema_name,
    class.relname::text as relation_name,
    array_agg(attribute.attname::text order by attribute.attnum) as names,
    array_agg(format_type(attribute.atttypid, attribute.atttypmod) order by attribute.attnum) as types
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_attribute as attribute on attribute.attrelid = class.oid
where namespace.nspname = any($1)
    and class.relkind in ('p', 'v')
    and attribute.attnum > 0
group by
    namespace.nspname,
    class.relname

-- name: create_schema
create schema if not exists {{ schema }}

-- name: create_extension
create extension if not exists {{ extension }}

-- name: create_enum
create type {{ name }} as enum ({{ labels | inline }})

-- name: create_domain
create domain {{ name }} as {{ base }}

-- name: create_function
create function {{ name }}({{ arguments }}) returns {{ result }}
language plpgsql
as 'begin end'

-- name: unknown_types
select given.data_type
from unnest($1) as given (data_type)
where to_regtype(given.data_type) is null

-- name: our_relations
select substring(described.description from length('made by unimig: ') + 1)
from pg_description as described
join pg_class as class on class.oid = described.objoid
where described.classoid = 'pg_class'::regclass
    and described.objsubid = 0
    and described.description like 'made by unimig: %'
    and class.relkind in ('r', 'v', 'm')
