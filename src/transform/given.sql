-- name: columns
select
    wanted.name,
    format_type(attribute.atttypid, attribute.atttypmod) as data_type,
    format_type(wanted.type_oid, null) as given_type,
    given.typcategory::text as given_category,
    attribute.atttypid = wanted.type_oid and attribute.atttypmod < 0 as is_same,
    target.typtype::text as kind,
    format_type(base.oid, null) as base_type,
    base.typcategory::text as base_category,
    case when target.typtype = 'd' then -1 else attribute.atttypmod end as modifier,
    coalesce(
        (
            select array_agg(label.enumlabel::text order by label.enumsortorder)
            from pg_enum as label
            where label.enumtypid = attribute.atttypid
        ),
        '{}'
    ) as labels
from unnest($2::text[], $3::oid[]) with ordinality as wanted (name, type_oid, place)
join pg_attribute as attribute on attribute.attrelid = to_regclass($1)
    and attribute.attname = wanted.name
    and attribute.attnum > 0
    and not attribute.attisdropped
join pg_type as target on target.oid = attribute.atttypid
left join pg_type as base on base.oid = coalesce(nullif(target.typbasetype, 0), target.oid)
left join pg_type as given on given.oid = wanted.type_oid
order by wanted.place
