-- name: schemas
select namespace.nspname::text
from pg_namespace as namespace
where namespace.nspname <> 'information_schema'
    and namespace.nspname not like 'pg\_%'
order by namespace.nspname

-- name: tables
select
    class.relname::text as name,
    class.relkind in ('r', 'p') as is_table,
    class.relispartition as is_partition,
    {% include "shared/is_of_an_extension" %} as of_extension,
    has_schema_privilege(namespace.oid, 'usage')
        and has_table_privilege(class.oid, 'select') as is_readable,
    extent.row_estimate,
    coalesce(extent.size_bytes, 0) as size_bytes,
    obj_description(class.oid, 'pg_class') as comment,
    coalesce(shape.names, '{}') as names,
    coalesce(shape.types, '{}') as types,
    coalesce(shape.base_types, '{}') as base_types,
    coalesce(shape.comments, '{}') as comments,
    coalesce(key.columns, '{}') as key_columns,
    coalesce(key.is_primary, false) as key_is_primary,
    coalesce(
        (
            select array_agg(distinct first_column.attname::text)
            from pg_index as index
            join pg_attribute as first_column on first_column.attrelid = index.indrelid
                and first_column.attnum = index.indkey[0]
            where index.indrelid = class.oid
                and index.indisvalid
                and index.indpred is null
        ),
        '{}'
    ) as indexed
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
left join lateral (
    select
        case
            -- Servers before 14 say 0 where they have never counted.
            when bool_and(leaf.reltuples > 0 or pg_relation_size(leaf.oid) = 0)
                then sum(greatest(leaf.reltuples, 0))::bigint
        end as row_estimate,
        sum(pg_relation_size(leaf.oid))::bigint as size_bytes
    from (
        select class.oid as leaf_id
        where class.relkind in ('r', 'm')
        union all
        select tree.relid
        from pg_partition_tree(class.oid) as tree
        where class.relkind = 'p'
            and tree.isleaf
    ) as leaves
    join pg_class as leaf on leaf.oid = leaves.leaf_id
    where leaf.relkind in ('r', 'm')
) as extent on true
left join lateral (
    select
        array_agg(attribute.attname::text order by attribute.attnum) as names,
        array_agg(format_type(attribute.atttypid, attribute.atttypmod) order by attribute.attnum) as types,
        array_agg(
            format_type(case type.typtype when 'd' then type.typbasetype else type.oid end, null)
            order by attribute.attnum
        ) as base_types,
        array_agg(col_description(class.oid, attribute.attnum) order by attribute.attnum) as comments
    from pg_attribute as attribute
    join pg_type as type on type.oid = attribute.atttypid
    where attribute.attrelid = class.oid
        and attribute.attnum > 0
        and not attribute.attisdropped
) as shape on true
left join lateral (
    select
        (
            select array_agg(attribute.attname::text order by member.place)
            from unnest(index.indkey::smallint[]) with ordinality as member (attnum, place)
            join pg_attribute as attribute on attribute.attrelid = index.indrelid
                and attribute.attnum = member.attnum
            where member.place <= index.indnkeyatts
        ) as columns,
        index.indisprimary as is_primary
    from pg_index as index
    where index.indrelid = class.oid
        and index.indisunique
        and index.indisvalid
        and index.indpred is null
        and index.indexprs is null
        and not exists (
            select
            from unnest(index.indkey::smallint[]) with ordinality as member (attnum, place)
            join pg_attribute as attribute on attribute.attrelid = index.indrelid
                and attribute.attnum = member.attnum
            where member.place <= index.indnkeyatts
                and not attribute.attnotnull
        )
    order by
        index.indisprimary desc,
        index.indnkeyatts,
        index.indisreplident desc,
        index.indexrelid
    limit 1
) as key on true
where namespace.nspname = $1
    and class.relkind in ('r', 'p', 'v', 'm', 'f')
order by class.relname

-- name: wanted
select
    class.relname::text as name,
    array_agg(attribute.attname::text order by attribute.attnum) as names,
    array_agg(format_type(attribute.atttypid, attribute.atttypmod) order by attribute.attnum) as types,
    array_agg(not attribute.attnotnull order by attribute.attnum) as may_be_null,
    array_agg(
        case
            when attribute.attgenerated <> '' then 'expression'
            when attribute.attidentity <> '' then 'identity'
            when attribute.atthasdef then 'default'
            else 'nothing'
        end
        order by attribute.attnum
    ) as fillings,
    {% include "shared/primary_key" %} as primary_key
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_attribute as attribute on attribute.attrelid = class.oid
where namespace.nspname = $1
    and class.relkind in ('r', 'p')
    and not class.relispartition
    and attribute.attnum > 0
    and not attribute.attisdropped
    and coalesce(obj_description(class.oid, 'pg_class'), '') !~ '(^|\n)made by unimig: [^\n]*$'
    and not {% include "shared/is_of_an_extension" +%}
group by
    class.relname,
    class.oid
order by class.relname
