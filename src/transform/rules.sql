-- name: columns
select
    attribute.attname::text as name,
    format_type(attribute.atttypid, attribute.atttypmod) as data_type,
    attribute.attnotnull as is_required,
    attribute.attgenerated <> '' as is_computed,
    attribute.attidentity <> ''
        or coalesce(pg_get_expr(value.adbin, value.adrelid) like '%nextval(%', false) as is_numbered,
    coalesce(
        pg_get_expr(value.adbin, value.adrelid),
        (select type.typdefault from pg_type as type where type.oid = attribute.atttypid)
    ) as expression
from pg_attribute as attribute
left join pg_attrdef as value on value.adrelid = attribute.attrelid
    and value.adnum = attribute.attnum
where attribute.attrelid = to_regclass($1)
    and attribute.attnum > 0
    and not attribute.attisdropped
order by attribute.attnum

-- name: checks
select
    rule.conname::text as name,
    pg_get_expr(rule.conbin, rule.conrelid) as expression,
    array(
        select attribute.attname::text
        from unnest(rule.conkey) with ordinality as key (attnum, place)
        join pg_attribute as attribute on attribute.attrelid = rule.conrelid
            and attribute.attnum = key.attnum
        order by key.place
    ) as columns
from pg_constraint as rule
where rule.conrelid = to_regclass($1)
    and rule.contype = 'c'
order by rule.conname

-- name: uniques
select
    class.relname::text as name,
    array(
        select pg_get_indexdef(index.indexrelid, place, true)
        from generate_series(1, index.indnkeyatts) as place
        order by place
    ) as parts,
    array(
        select attribute.attname::text
        from unnest(index.indkey::smallint[]) with ordinality as key (attnum, place)
        join pg_attribute as attribute on attribute.attrelid = index.indrelid
            and attribute.attnum = key.attnum
        where key.place <= index.indnkeyatts
        order by key.place
    ) as columns,
    pg_get_expr(index.indpred, index.indrelid) as predicate,
    index.indnullsnotdistinct as nulls_collide
from pg_index as index
join pg_class as class on class.oid = index.indexrelid
where index.indrelid = to_regclass($1)
    and index.indisunique
    and index.indisvalid
order by class.relname

-- name: references
select
    rule.conname::text as name,
    array(
        select attribute.attname::text
        from unnest(rule.conkey) with ordinality as key (attnum, place)
        join pg_attribute as attribute on attribute.attrelid = rule.conrelid
            and attribute.attnum = key.attnum
        order by key.place
    ) as columns,
    namespace.nspname::text as parent_schema,
    parent.relname::text as parent_name,
    array(
        select attribute.attname::text
        from unnest(rule.confkey) with ordinality as key (attnum, place)
        join pg_attribute as attribute on attribute.attrelid = rule.confrelid
            and attribute.attnum = key.attnum
        order by key.place
    ) as parent_columns,
    rule.confmatchtype = 'f' as is_full,
    rule.confrelid = rule.conrelid as is_own
from pg_constraint as rule
join pg_class as parent on parent.oid = rule.confrelid
join pg_namespace as namespace on namespace.oid = parent.relnamespace
where rule.conrelid = to_regclass($1)
    and rule.contype = 'f'
    and rule.conparentid = 0
order by rule.conname

-- name: triggers_before
select exists (
    select
    from pg_trigger as trigger
    where trigger.tgrelid = to_regclass($1)
        and not trigger.tgisinternal
        and trigger.tgenabled in ('O', 'A')
        -- A row's, before, at an insert or an update.
        and trigger.tgtype & 1 <> 0
        and trigger.tgtype & 2 <> 0
        and trigger.tgtype & 20 <> 0
)
