-- name: unindexed
select
    wanted.name,
    size.bytes
from unnest($3::text[]) with ordinality as wanted (name, place)
join pg_namespace as namespace on namespace.nspname = $1
join pg_class as class
    on class.relnamespace = namespace.oid
    and class.relname = $2
    and class.relkind in ('r', 'p', 'm')
cross join lateral (
    select array_agg(tree.relid) filter (where tree.isleaf) as ids
    from pg_partition_tree(class.oid) as tree
) as leaves
cross join lateral (
    select coalesce(sum(pg_table_size(leaf.id)), 0)::bigint as bytes
    from unnest(coalesce(leaves.ids, array[class.oid::regclass])) as leaf (id)
) as size
where size.bytes >= $4
    and exists (
        select
        from unnest(coalesce(leaves.ids, array[class.oid::regclass])) as leaf (id)
        join pg_attribute as attribute on attribute.attrelid = leaf.id and attribute.attname = wanted.name
        where not exists (
            select
            from pg_index as index
            join pg_class as index_class on index_class.oid = index.indexrelid
            join pg_am as method on method.oid = index_class.relam
            where index.indrelid = leaf.id
                and index.indisvalid
                and index.indpred is null
                and index.indkey[0] = attribute.attnum
                and method.amname in ('btree', 'brin')
        )
    )
order by wanted.place

-- name: explain_head
explain (format json)
