-- name: columns
select
    attribute.attname::text as name,
    case
        -- A literal longer than the column shall be told apart, not cut.
        when attribute.atttypid in ('varchar'::regtype, 'bpchar'::regtype) then format_type(attribute.atttypid, -1)
        else format_type(attribute.atttypid, attribute.atttypmod)
    end as data_type
from pg_attribute as attribute
where attribute.attrelid = to_regclass($1)
    and attribute.attnum > 0
    and not attribute.attisdropped
order by attribute.attnum

-- name: rows_head
create temporary table {{ table }} on commit drop as
select
{% for column in columns %}
    cast(given.{{ column.value }} as {{ column.data_type }}) as {{ column.name }}{% if not loop.last %},{% endif %}

{% endfor %}
from (
    values
{% for row in rows %}
        ({{ row | inline }}){% if not loop.last %},{% endif %}

{% endfor %}
) as given ({{ values | inline }})
{% if is_empty %}
where false
{% endif %}

-- name: select_head
create temporary table {{ table }} on commit drop as

-- name: described_tail
with no data

-- name: drop_described
drop table pg_temp.unimig_described

-- name: compared
select
    array[{{ texts | inline }}] as cells
from (
    select
{{ columns | lines }}
    from {{ first }}
    {{ operator }}
    select
{{ columns | lines }}
    from {{ second }}
) as compared ({{ names | inline }})
