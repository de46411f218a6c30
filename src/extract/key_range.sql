-- name: explain_head
explain (format json)

-- name: histogram
select
    statistics.histogram_bounds::text::text[] as bounds,
    case
        when collations.oid is not null then format('%I.%I', collation_schema.nspname, collations.collname)
    end as collation
from pg_stats as statistics
join pg_namespace as namespace on namespace.nspname = statistics.schemaname
join pg_class as class
    on class.relnamespace = namespace.oid
    and class.relname = statistics.tablename
join pg_attribute as attribute
    on attribute.attrelid = class.oid
    and attribute.attname = statistics.attname
left join pg_collation as collations on collations.oid = attribute.attcollation
left join pg_namespace as collation_schema on collation_schema.oid = collations.collnamespace
where statistics.schemaname = $1
    and statistics.tablename = $2
    and statistics.attname = $3
    and statistics.histogram_bounds is not null
-- With the rows of partitions and children, as the table is read.
order by statistics.inherited desc
limit 1

-- name: in_order
select
    bounds.bound::text as bound,
    coalesce(lag(bounds.bound) over (order by bounds.bound) < bounds.bound, true) as is_above_last
from (
    select distinct wanted.bound::{{ data_type }}{% if collation %} collate {{ collation }}{% endif %} as bound
    from unnest($1) as wanted (bound)
) as bounds
order by bounds.bound

-- name: extremes
select
    min({{ key }})::text as least,
    max({{ key }})::text as greatest
from {{ relation }}

-- name: within
{% if lower and upper %}
{{ key }} >= {{ lower }} and {{ key }} < {{ upper }}
{% elif upper %}
{{ key }} < {{ upper }}
{% else %}
({{ key }} >= {{ lower }} or {{ key }} is null)
{% endif %}
