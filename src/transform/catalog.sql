-- name: target_tables
select
    namespace.nspname::text as schema_name,
    class.relname::text as table_name,
    array_agg(attribute.attname::text order by attribute.attnum) as names,
    array_agg(format_type(attribute.atttypid, attribute.atttypmod) order by attribute.attnum) as types,
    array_agg(
        case
            when attribute.attgenerated <> '' then 'expression'
            when attribute.attidentity = 'a' then 'identity always'
            when attribute.attidentity = 'd' then 'identity by default'
            else 'default'
        end
        order by attribute.attnum
    ) as filled_by,
    {% include "shared/primary_key" %} as primary_key,
    array(
        select trigger.tgname::text
        from pg_trigger as trigger
        where trigger.tgrelid = class.oid
            and not trigger.tgisinternal
            and trigger.tgenabled in ('O', 'A')
        order by trigger.tgname
    ) as triggers
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_attribute as attribute on attribute.attrelid = class.oid
where namespace.nspname = any($1)
    and class.relkind in ('r', 'p')
    and attribute.attnum > 0
    and not attribute.attisdropped
group by
    namespace.nspname,
    class.relname,
    class.oid

-- name: foreign_keys
select
    child_namespace.nspname::text,
    child.relname::text,
    parent_namespace.nspname::text,
    parent.relname::text
from pg_constraint as reference
join pg_class as child on child.oid = reference.conrelid
join pg_namespace as child_namespace on child_namespace.oid = child.relnamespace
join pg_class as parent on parent.oid = reference.confrelid
join pg_namespace as parent_namespace on parent_namespace.oid = parent.relnamespace
where reference.contype = 'f'
    and child_namespace.nspname = any($1)

-- name: relation
select
    class.relkind::text as kind,
    coalesce(obj_description(class.oid, 'pg_class'), '') as comment,
    class.relpersistence = 'u' or exists (
        select
        from pg_index as index
        where index.indrelid = class.oid
            and obj_description(index.indexrelid, 'pg_class') like 'made by unimig: %'
    ) as carries,
    (
        select coalesce(
            array_agg(
                attribute.attname::text || ' ' || format_type(attribute.atttypid, attribute.atttypmod)
                order by attribute.attnum
            ),
            '{}'
        )
        from pg_attribute as attribute
        where attribute.attrelid = class.oid
            and attribute.attnum > 0
            and not attribute.attisdropped
    ) as columns,
    coalesce(
        (
            select seal.description
            from pg_description as seal
            where seal.classoid = 'pg_type'::regclass
                and seal.objoid = class.reltype
                and seal.description like 'made by unimig: contract %'
        ),
        ''
    ) as seal
from (values (true)) as always (yes)
left join pg_class as class on class.relname = $2
    and class.relnamespace = (select oid from pg_namespace where nspname = $1)

-- name: built_columns
select
    coalesce(
        array_agg(
            attribute.attname::text || ' ' || format_type(attribute.atttypid, attribute.atttypmod)
            order by attribute.attnum
        ),
        '{}'
    ) as columns
from pg_attribute as attribute
where attribute.attrelid = 'pg_temp.unimig_built'::regclass
    and attribute.attnum > 0
    and not attribute.attisdropped

-- name: written
select
    to_regclass($1) is not null as present,
    coalesce(obj_description(to_regclass($1), 'pg_class'), '') as comment,
    exists (
        select
        from pg_attribute as attribute
        where attribute.attrelid = to_regclass($1)
            and attribute.attname = '_hashes'
    ) as has_hashes,
    format('keys of rows inserted into %s (%s)', $2, to_regclass($2)::oid) as mark,
    coalesce(
        (
            select array_agg(attribute.attname::text order by attribute.attnum)
            from pg_attribute as attribute
            where attribute.attrelid = to_regclass($1)
                and attribute.attnum > 0
                and attribute.attname not in ('_inserted_at', '_deleted_at', '_hashes')
        ),
        '{}'
    ) as names,
    coalesce(
        (
            select array_agg(
                format_type(attribute.atttypid, attribute.atttypmod) order by attribute.attnum
            )
            from pg_attribute as attribute
            where attribute.attrelid = to_regclass($1)
                and attribute.attnum > 0
                and attribute.attname not in ('_inserted_at', '_deleted_at', '_hashes')
        ),
        '{}'
    ) as types

-- name: same_definition
select pg_get_viewdef(to_regclass($1)) is not distinct from pg_get_viewdef(to_regclass($2)) as same

-- name: is_filled
select class.relispopulated as filled
from pg_class as class
where class.oid = to_regclass($1)

-- name: has_rows
select exists (select from {{ relation }})

-- name: our_tables
select
    namespace.nspname::text,
    class.relname::text
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_description as description on description.objoid = class.oid
    and description.classoid = 'pg_class'::regclass
    and description.objsubid = 0
where class.relkind = 'r'
    and description.description ~ '(^|\n)made by unimig: [^\n]*$'

-- name: makers
select
    namespace.nspname::text as schema_name,
    class.relname::text as relation_name,
    substring(description.description from '(?:^|\n)made by unimig: ([^\n]*)$') as maker
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_description as description on description.objoid = class.oid
    and description.classoid = 'pg_class'::regclass
    and description.objsubid = 0
where class.relkind in ('r', 'v', 'm')
    and description.description ~ '(^|\n)made by unimig: [^\n]*$'

-- name: sign
select format(
    'comment on %s %s is %L',
    case class.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end,
    class.oid::regclass,
    regexp_replace(obj_description(class.oid, 'pg_class'), '[^\n]*$', '') || $2
)
from pg_class as class
where class.oid = to_regclass($1)

-- name: columns
select
    attribute.attname::text as name,
    format_type(attribute.atttypid, attribute.atttypmod) as data_type
from pg_attribute as attribute
where attribute.attrelid = to_regclass($1)
    and attribute.attnum > 0
    and not attribute.attisdropped
order by attribute.attnum

-- name: view
select
    pg_get_viewdef(class.oid) as definition,
    -- CREATE OR REPLACE VIEW takes the options away.
    case
        when class.reloptions is not null then (
            select format(
                'alter view %s set (%s)',
                class.oid::regclass,
                string_agg(format('%I = %L', option.option_name, option.option_value), ', ')
            )
            from pg_options_to_table(class.reloptions) as option
        )
    end as set_options,
    format(
        'comment on view %s is %L',
        class.oid::regclass,
        regexp_replace(coalesce(obj_description(class.oid, 'pg_class'), ''), '[^\n]*$', '') || $2
    ) as mark
from pg_class as class
where class.oid = to_regclass($1)
